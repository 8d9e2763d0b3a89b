import { hash } from 'node:crypto'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import type { Leaves } from '../oracle/recipe.ts'
import { capture } from './exec.ts'
import { type Kind, walk } from './walk.ts'

/** One path of a root, as a line of JSON: all that makes it what it is, but for its times. */
export interface ListedPath {
  readonly path: string
  readonly kind: Kind
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of a symbolic link. */
  readonly target?: string
  /** Of a file's content. */
  readonly sha256?: string
  /** The first path, in order, that is the same file by a hard link. */
  readonly same?: string
  /** Extended attributes, ACLs and capabilities among them: name -> value in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>
}

export async function leave(root: string, leaves: Leaves): Promise<void> {
  if (leaves === 'listing') await writeListing(root, '/out/listing.jsonl')
  else writeFileSync('/out/made', '')
}

/** Lists every path below a root, sorted, one line of JSON each. */
async function writeListing(root: string, file: string): Promise<void> {
  const xattrs = parseAttributes(
    await capture('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', root]),
    root,
  )
  const first = new Map<number, string>()
  const lines = [...walk(root)].map(([path, { kind, mode, uid, gid, target, inode }]) => {
    const listed: ListedPath = {
      path,
      kind,
      mode,
      uid,
      gid,
      ...(kind === 'symlink' ? { target } : {}),
      ...(kind === 'file' ? { sha256: hash('sha256', comparable(path, readFileSync(root + path)), 'hex') } : {}),
      ...(kind === 'file' && first.has(inode) ? { same: first.get(inode) ?? '' } : {}),
      ...(xattrs.has(path) ? { xattrs: xattrs.get(path) ?? {} } : {}),
    }
    if (kind === 'file' && lstatSync(root + path).nlink > 1 && !first.has(inode)) first.set(inode, path)
    return `${JSON.stringify(listed)}\n`
  })
  writeFileSync(file, lines.join(''))
}

/** dpkg writes these in the order of a hash of names, which differ between architectures: path -> lines of a record. */
const UNORDERED: Readonly<Record<string, number>> = {
  '/var/lib/dpkg/diversions': 3,
  '/var/lib/dpkg/statoverride': 1,
  '/var/lib/dpkg/triggers/File': 1,
}

export function comparable(path: string, content: Buffer): Buffer | string {
  const size = UNORDERED[path]
  if (size === undefined) return content
  const lines = content.toString('utf8').trimEnd().split('\n')
  const records = Array.from({ length: Math.ceil(lines.length / size) }, (_, at) =>
    lines.slice(at * size, (at + 1) * size).join('\n'),
  )
  return records.sort().join('\n')
}

/** Reads what `getfattr -d -e hex` prints: `# file: PATH`, then `NAME=0x…` lines, then an empty one. */
export function parseAttributes(dump: string, root: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>()
  for (const paragraph of dump.split('\n\n')) {
    const [head = '', ...lines] = paragraph.split('\n')
    const path = /^# file: (.*)$/.exec(head)?.[1]
    if (path === undefined) continue
    const pairs = lines
      .filter((line) => line !== '')
      .map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^[^=]*=/, '')] as const)
    found.set(plain(path).slice(root.length), Object.fromEntries(pairs))
  }
  return found
}

/** getfattr writes bytes that are not printable as `\` and three octal digits. */
function plain(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
