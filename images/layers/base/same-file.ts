import type { Seen } from '../parts/walk.ts'

/** A shipped file that has another path now: a script moved it, or made a hard link to it. */
export interface Renamed {
  readonly from: string
  readonly to: string
}

export interface SameFiles {
  /** The new path is another name of a shipped file, which keeps its own. */
  readonly linked: readonly Renamed[]
  /** The new path has replaced the path that a package ships. */
  readonly moved: readonly Renamed[]
}

/**
 * Finds the made paths that are shipped files with the same content. The target has its own content for them, such as its own
 * programs, so their bytes must not come from the builder.
 */
export function findSameFiles(
  before: ReadonlyMap<string, Seen>,
  after: ReadonlyMap<string, Seen>,
  made: readonly string[],
): SameFiles {
  const shipped = new Map(
    [...before].filter(([, { kind }]) => kind === 'file').map(([path, { inode }]) => [inode, path]),
  )
  const linked: Renamed[] = []
  const moved: Renamed[] = []
  for (const to of made) {
    const now = after.get(to)
    const from = now?.kind === 'file' ? shipped.get(now.inode) : undefined
    if (from === undefined || from === to || !isUnchanged(before.get(from), now)) continue
    const list = after.get(from)?.inode === now?.inode ? linked : moved
    list.push({ from, to })
  }
  return { linked, moved }
}

/** Compares time and size too, because a file system may use the inode of a deleted file again. */
function isUnchanged(then: Seen | undefined, now: Seen | undefined): boolean {
  return then !== undefined && then.mtime === now?.mtime && then.size === now.size
}
