import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'

/** A path that a package ships, as tar lists it. */
export interface Shipped {
  /** The absolute path: `/.`, `/usr`, `/usr/bin`, … */
  readonly path: string
  /** The mode in the form of tar: `drwxr-xr-x`. */
  readonly mode: string
  /** The numeric uid and gid: `0/0`. */
  readonly owner: string
}

/** Creates the links of the merged /usr. They must exist first, because packages are unpacked in any order. */
export function prepareMergedUsr(root: string): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(`${root}/usr/${name}`, { recursive: true })
    if (!existsSync(`${root}/${name}`)) symlinkSync(`usr/${name}`, `${root}/${name}`)
  }
}

const LINE = /^(\S+) +(\d+\/\d+) +\S+ \d+-\d\d-\d\d \d\d:\d\d(?::\d\d)? (.*)$/

/** Parses the output of `tar -vv` for concatenated archives, each of which begins with `./`. */
export function parseListing(text: string): Shipped[][] {
  const archives: Shipped[][] = []
  for (const line of text.trimEnd().split('\n')) {
    const [, mode, owner, name] = LINE.exec(line) ?? []
    if (mode === undefined || owner === undefined || name === undefined)
      throw new Error(`cannot parse this line of tar's output: '${line}'`)
    if (name === './') archives.push([])
    archives.at(-1)?.push({ path: shippedPath(mode, name), mode, owner })
  }
  return archives
}

function shippedPath(mode: string, name: string): string {
  const bare = mode.startsWith('l')
    ? name.replace(/ -> .*$/, '')
    : mode.startsWith('h')
      ? name.replace(/ link to .*$/, '')
      : name
  const path = bare.replace(/^\./, '').replace(/\/$/, '')
  return path === '' ? '/.' : path
}

/** A path that several packages ship, and that is not a directory in all of them: the positions of the packages. */
export interface Conflict {
  readonly path: string
  readonly packages: readonly number[]
}

/** The files that several packages ship. */
export function findConflicts(packages: readonly (readonly Shipped[])[]): Conflict[] {
  const shippedBy = new Map<string, { positions: Set<number>; isDirectory: boolean }>()
  for (const [position, items] of packages.entries()) {
    for (const { path, mode } of items) {
      const known = shippedBy.get(path) ?? { positions: new Set(), isDirectory: true }
      known.positions.add(position)
      known.isDirectory &&= mode.startsWith('d')
      shippedBy.set(path, known)
    }
  }
  return [...shippedBy]
    .filter(([, { positions, isDirectory }]) => positions.size > 1 && !isDirectory)
    .map(([path, { positions }]) => ({ path, packages: [...positions] }))
}

/**
 * Gives each directory the mode and owner of the first package that ships it, as dpkg does. Otherwise they would depend on
 * which package was unpacked last.
 */
export function repairDirectories(root: string, packages: readonly (readonly Shipped[])[]): void {
  const first = new Map<string, Shipped>()
  const repaired = new Set<string>()
  for (const item of packages.flat()) {
    const known = first.get(item.path)
    first.set(item.path, known ?? item)
    if (known === undefined || item.path === '/.') continue
    if ((item.mode !== known.mode || item.owner !== known.owner) && !repaired.has(item.path)) {
      const [uid = 0, gid = 0] = known.owner.split('/').map(Number)
      chownSync(root + item.path, uid, gid)
      chmodSync(root + item.path, modeOf(known.mode))
      repaired.add(item.path)
    }
  }
}

/** Converts a mode such as `drwxr-sr-t` to a number. */
export function modeOf(text: string): number {
  const bits = [...text.slice(1, 10)].map((letter, index) =>
    letter === '-' || letter === 'S' || letter === 'T' ? 0 : 1 << (8 - index),
  )
  const special = (index: number, value: number) => (/[sStT]/.test(text[index] ?? '') ? value : 0)
  return bits.reduce((sum, bit) => sum + bit, special(3, 0o4000) + special(6, 0o2000) + special(9, 0o1000))
}
