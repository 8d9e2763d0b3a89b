import { hash } from 'node:crypto'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { capture } from '../../images/layers/parts/exec.ts'
import { type Kind, walk } from '../../images/layers/parts/walk.ts'
import type { RootOutput } from './recipe.ts'

/** One path of a root, as a line of JSON: everything that identifies the file, except its times. */
export interface ListedPath {
  readonly path: string
  readonly kind: Kind
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Target of a symbolic link. */
  readonly target?: string
  /** Digest of the file's content. */
  readonly sha256?: string
  /** The first path in the listing that is a hard link to the same file. */
  readonly same?: string
  /** Extended attributes, including ACLs and capabilities: name -> value in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>
}

/** Writes the output of a step that built `root`. */
export async function writeOutput(root: string, output: RootOutput): Promise<void> {
  if (output === 'listing') await writeListing(root, '/out/listing.jsonl')
  else writeFileSync('/out/made', '')
}

/** Lists every path below a root, sorted, one line of JSON per path. */
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

/** Files that dpkg writes in hash order, which differs between architectures: path -> number of lines per record. */
const UNORDERED: Readonly<Record<string, number>> = {
  '/var/lib/dpkg/diversions': 3,
  '/var/lib/dpkg/statoverride': 1,
  '/var/lib/dpkg/triggers/File': 1,
}

/** The content of a file, with the records of `UNORDERED` files sorted. */
export function comparable(path: string, content: Buffer): Buffer | string {
  const size = UNORDERED[path]
  if (size === undefined) return content
  const lines = content.toString('utf8').trimEnd().split('\n')
  const records = Array.from({ length: Math.ceil(lines.length / size) }, (_, at) =>
    lines.slice(at * size, (at + 1) * size).join('\n'),
  )
  return records.sort().join('\n')
}

/** Parses the output of `getfattr -d -e hex`: `# file: PATH`, `NAME=0x…` lines, then an empty line. */
export function parseAttributes(dump: string, root: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>()
  for (const paragraph of dump.split('\n\n')) {
    const [head = '', ...lines] = paragraph.split('\n')
    const path = /^# file: (.*)$/.exec(head)?.[1]
    if (path === undefined) continue
    const pairs = lines
      .filter((line) => line !== '')
      .map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^[^=]*=/, '')] as const)
    found.set(unescaped(path).slice(root.length), Object.fromEntries(pairs))
  }
  return found
}

/** getfattr writes unprintable bytes as `\` and three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
