import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { Refusal } from '../../refusal.ts'
import { arMembers, type Member, readTars } from './archive.ts'
import { captureBytes } from './exec.ts'
import { findConflicts, parseListing, prepareMergedUsr, repairDirectories, type Shipped } from './shipped.ts'

/** An unpacked Debian package. */
export interface Deb {
  readonly fields: ReadonlyMap<string, string>
  /** Paths that the package ships, in the archive's order: `/.`, `/usr`, `/usr/bin`, … */
  readonly files: readonly string[]
  /**
   * The control files: file name (`control`, `postinst`, `conffiles`, …) -> bytes. No rule says that a script is UTF-8, and
   * decoding would replace the other bytes.
   */
  readonly control: ReadonlyMap<string, Buffer>
}

export interface Unpacking {
  /** The number of packages that are unpacked at once. */
  readonly workers?: number
  /** Whether the root has other packages already, whose directories keep their modes and owners. */
  readonly over?: 'nothing' | 'packages'
}

/** Several packages ship the same file. */
export class ShippedTwice extends Refusal {
  readonly debs: readonly Deb[]
  readonly conflicts: readonly { readonly path: string; readonly packages: readonly string[] }[]

  constructor(debs: readonly Deb[], conflicts: ShippedTwice['conflicts']) {
    const list = conflicts.slice(0, 10).map(({ path, packages }) => `'${path}' (${packages.join(', ')})`)
    const more = conflicts.length > list.length ? `, and ${conflicts.length - list.length} more` : ''
    const names = [...new Set(conflicts.flatMap(({ packages }) => packages))]
    super(
      'carry',
      `several of its packages ship the same file: ${list.join(', ')}${more}`,
      `request only one of ${names.join(', ')}; or run one of them in a container of its own: docs/services.md`,
    )
    this.debs = debs
    this.conflicts = conflicts
  }
}

/** Unpacks packages into a root with merged /usr, without running maintainer scripts. */
export async function unpackDebs(debs: readonly string[], root: string, unpacking: Unpacking = {}): Promise<Deb[]> {
  prepareMergedUsr(root)
  const parts = debs.map(partsOf)
  const [controls, shipped] = await Promise.all([readControls(parts), unpackData(parts, root, unpacking)])
  const unpacked = debsOf(controls, shipped)
  const nameOf = (position: number) => packageName(unpacked[position] as Deb)
  const conflicts = findConflicts(shipped).map(({ path, packages }) => ({ path, packages: packages.map(nameOf) }))
  if (conflicts.length > 0) throw new ShippedTwice(unpacked, conflicts)
  if (unpacking.over !== 'packages') repairDirectories(root, shipped)
  return unpacked
}

function debsOf(controls: readonly ReadonlyMap<string, Buffer>[], shipped: readonly (readonly Shipped[])[]): Deb[] {
  return controls.map((control, index) => ({
    fields: parseFields(control.get('control')?.toString('utf8') ?? ''),
    files: (shipped[index] ?? []).map(({ path }) => path),
    control,
  }))
}

/** A control file as text with one character per byte, so that encoding as latin1 gives the same bytes again. */
export function controlText({ control }: Pick<Deb, 'control'>, name: string): string {
  return control.get(name)?.toString('latin1') ?? ''
}

interface Parts {
  readonly path: string
  readonly control: Member
  readonly data: Member
}

function partsOf(path: string): Parts {
  const members = arMembers(path)
  const control = members.find(({ name }) => name.startsWith('control.tar'))
  const data = members.find(({ name }) => name.startsWith('data.tar'))
  if (control === undefined || data === undefined)
    throw new Error(`the package '${path}' has no control.tar or no data.tar`)
  return { path, control, data }
}

const DECOMPRESS: Readonly<Record<string, string>> = {
  '.xz': 'xz -dc -T1',
  '.zst': 'zstd -dc',
  '.gz': 'gzip -dc',
  '': 'cat',
}

function decompressor({ path }: Parts, { name }: Member): string {
  const program = DECOMPRESS[name.replace(/^.*\.tar/, '')]
  if (program === undefined) throw new Error(`the package '${path}' has an unknown compression: ${name}`)
  return program
}

/** One process decompresses the control archives of all packages, because starting a process takes longer than its work. */
function readControls(all: readonly Parts[]): Promise<Map<string, Buffer>[]> {
  const programOf = (each: Parts) => decompressor(each, each.control)
  return inGroups(all, programOf, async (program, group) => {
    const tars = await captureBytes('sh', ['-c', program], async (stdin) => {
      for (const { path, control } of group) await feed(path, control, stdin)
    })
    const controls = readTars(tars)
    if (controls.length !== group.length)
      throw new Error(`expected ${group.length} control archives, found ${controls.length}`)
    return controls
  })
}

const EXTRACT = `set -o pipefail
$1 | tar -x -i -p -vv --quoting-style=literal --numeric-owner --same-owner --keep-directory-symlink $3 -C "$2"`

/**
 * Unpacks packages, and returns the paths that each package ships. A worker is one decompressor and one tar for many
 * packages.
 */
function unpackData(
  all: readonly Parts[],
  root: string,
  { workers = 2, over = 'nothing' }: Unpacking,
): Promise<Shipped[][]> {
  const keep = over === 'packages' ? '--no-overwrite-dir' : ''
  const programOf = (each: Parts) => decompressor(each, each.data)
  return inGroups(all, programOf, async (program, group) => {
    const queue = group.entries()
    const results: Shipped[][] = new Array(group.length)
    const work = async () => {
      const taken: number[] = []
      const listing = await captureBytes('bash', ['-c', EXTRACT, 'unpack', program, root, keep], async (stdin) => {
        for (const [index, { path, data }] of queue) {
          taken.push(index)
          await feed(path, data, stdin)
        }
      })
      if (!isUtf8(listing)) throw new Error('a package ships a file whose name is not UTF-8')
      const shipped = parseListing(listing.toString('utf8'))
      if (shipped.length !== taken.length)
        throw new Error(`tar listed ${shipped.length} packages, expected ${taken.length}`)
      for (const [position, index] of taken.entries()) results[index] = shipped[position] ?? []
    }
    await Promise.all(Array.from({ length: Math.min(workers, group.length) }, work))
    return results
  })
}

/** Writes one member of a file to a program that reads several. */
async function feed(path: string, { offset, size }: Member, stdin: Writable): Promise<void> {
  for await (const piece of createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 })) {
    await new Promise<void>((resolve, reject) => stdin.write(piece, (error) => (error ? reject(error) : resolve())))
  }
}

/** Calls `work` once for all items with the same key. Returns the results in the order of the items. */
async function inGroups<T, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  work: (key: string, group: T[]) => Promise<R[]>,
): Promise<R[]> {
  const results: R[] = new Array(items.length)
  for (const key of new Set(items.map(keyOf))) {
    const positions = [...items.keys()].filter((position) => keyOf(items[position] as T) === key)
    const done = await work(
      key,
      positions.map((position) => items[position] as T),
    )
    for (const [index, position] of positions.entries()) results[position] = done[index] as R
  }
  return results
}

/** Parses a control file. Names keep their case, and values keep their continuation lines. */
export function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  // Names only these separators: \s also matches U+00A0, a byte of other characters in text with one character per byte.
  for (const part of text.replace(/\n+$/, '').split(/\n(?=[^ \t\n])/)) {
    const colon = part.indexOf(':')
    if (colon > 0) fields.set(part.slice(0, colon), part.slice(colon + 1).replace(/^ /, ''))
  }
  return fields
}

export function packageName(deb: Deb): string {
  return deb.fields.get('Package') ?? ''
}

/** The name of a package's files in dpkg's database. */
export function databaseName(deb: Deb): string {
  const name = packageName(deb)
  return deb.fields.get('Multi-Arch') === 'same' ? `${name}:${deb.fields.get('Architecture')}` : name
}
