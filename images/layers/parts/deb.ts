import { createReadStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { arMembers, type Member, readTars } from './archive.ts'
import { captureBytes } from './exec.ts'
import { mendDirectories, parseListing, prepareMergedUsr, type Shipped } from './shipped.ts'

/** A Debian package as it was unpacked. */
export interface Deb {
  readonly fields: ReadonlyMap<string, string>
  /** What it ships, in the archive's order: `/.`, `/usr`, `/usr/bin`, … */
  readonly files: readonly string[]
  /** Control files by name (`postinst`, `conffiles`, …), without `control` itself. */
  readonly control: ReadonlyMap<string, string>
}

/** Unpacks packages into a root that has the merged /usr, without running anything; `workers` of them at once. */
export async function unpackDebs(debs: readonly string[], root: string, workers = 2): Promise<Deb[]> {
  prepareMergedUsr(root)
  const parts = debs.map(partsOf)
  const [controls, shipped] = await Promise.all([readControls(parts), unpackData(parts, root, workers)])
  mendDirectories(root, shipped)
  return controls.map((files, index) => {
    const control = new Map([...files].map(([name, content]) => [name, content.toString('utf8')]))
    const fields = parseFields(control.get('control') ?? '')
    control.delete('control')
    return { fields, files: (shipped[index] ?? []).map(({ path }) => path), control }
  })
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
  if (control === undefined || data === undefined) throw new Error(`'${path}' lacks control.tar or data.tar`)
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
  if (program === undefined) throw new Error(`'${path}' is compressed in a way that is not known: ${name}`)
  return program
}

/** Programs cost more than what they do here: one decompresses the control archives of all packages. */
function readControls(all: readonly Parts[]): Promise<Map<string, Buffer>[]> {
  const programOf = (each: Parts) => decompressor(each, each.control)
  return inGroups(all, programOf, async (program, group) => {
    const tars = await captureBytes('sh', ['-c', program], async (stdin) => {
      for (const { path, control } of group) await feed(path, control, stdin)
    })
    const controls = readTars(tars)
    if (controls.length !== group.length)
      throw new Error(`${group.length} packages have ${controls.length} control archives`)
    return controls
  })
}

const EXTRACT = `set -o pipefail
$1 | tar -x -i -p -vv --quoting-style=literal --numeric-owner --same-owner --keep-directory-symlink -C "$2"`

/** What each package ships. A worker is one decompressor and one tar, which take one package after the other. */
function unpackData(all: readonly Parts[], root: string, workers: number): Promise<Shipped[][]> {
  const programOf = (each: Parts) => decompressor(each, each.data)
  return inGroups(all, programOf, async (program, group) => {
    const queue = group.entries()
    const results: Shipped[][] = new Array(group.length)
    const work = async () => {
      const taken: number[] = []
      const listing = await captureBytes('bash', ['-c', EXTRACT, 'unpack', program, root], async (stdin) => {
        for (const [index, { path, data }] of queue) {
          taken.push(index)
          await feed(path, data, stdin)
        }
      })
      const shipped = parseListing(listing.toString('utf8'))
      if (shipped.length !== taken.length) throw new Error(`${taken.length} packages were listed as ${shipped.length}`)
      for (const [place, index] of taken.entries()) results[index] = shipped[place] ?? []
    }
    await Promise.all(Array.from({ length: Math.min(workers, group.length) }, work))
    return results
  })
}

/** Hands one part of a file to a program that takes several. */
async function feed(path: string, { offset, size }: Member, stdin: Writable): Promise<void> {
  for await (const piece of createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 })) {
    await new Promise<void>((resolve, reject) => stdin.write(piece, (error) => (error ? reject(error) : resolve())))
  }
}

/** Works on what has the same key together; results come in the order of the items. */
async function inGroups<T, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  work: (key: string, group: T[]) => Promise<R[]>,
): Promise<R[]> {
  const results: R[] = new Array(items.length)
  for (const key of new Set(items.map(keyOf))) {
    const places = [...items.keys()].filter((place) => keyOf(items[place] as T) === key)
    const done = await work(
      key,
      places.map((place) => items[place] as T),
    )
    for (const [index, place] of places.entries()) results[place] = done[index] as R
  }
  return results
}

export function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const part of text.trimEnd().split(/\n(?=\S)/)) {
    const colon = part.indexOf(':')
    if (colon > 0) fields.set(part.slice(0, colon), part.slice(colon + 1).replace(/^ /, ''))
  }
  return fields
}

export function packageName(deb: Deb): string {
  return deb.fields.get('Package') ?? ''
}

/** How dpkg names a package's files in its database. */
export function databaseName(deb: Deb): string {
  const name = packageName(deb)
  return deb.fields.get('Multi-Arch') === 'same' ? `${name}:${deb.fields.get('Architecture')}` : name
}
