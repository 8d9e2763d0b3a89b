import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'

export type Kind = 'file' | 'directory' | 'symlink' | 'other'

/** Metadata of a path. Every change of a file updates `ctime`. */
export interface Seen {
  readonly kind: Kind
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly ctime: number
  readonly inode: number
  readonly target: string
}

/** The metadata of every path below a root, sorted by path. Does not follow links. */
export function walk(root: string): Map<string, Seen> {
  const found = new Map<string, Seen>()
  const visit = (path: string) => {
    const stats = lstatSync(root + path)
    const kind = kindOf(stats)
    if (path !== '') found.set(path, look(root + path, kind, stats))
    if (kind === 'directory') for (const name of readdirSync(root + path).sort()) visit(`${path}/${name}`)
  }
  visit('')
  return found
}

/** Whether a path is the same file with the same content, perhaps with another mode, owner or attribute. */
export function hasSameContent(then: Seen | undefined, now: Seen | undefined): boolean {
  return now?.kind === 'file' && then?.inode === now.inode && then.mtime === now.mtime && then.size === now.size
}

function look(file: string, kind: Kind, stats: Stats): Seen {
  return {
    kind,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    mtime: stats.mtimeMs,
    ctime: stats.ctimeMs,
    inode: stats.ino,
    target: kind === 'symlink' ? readlinkSync(file) : '',
  }
}

function kindOf(stats: Stats): Kind {
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  return stats.isFile() ? 'file' : 'other'
}
