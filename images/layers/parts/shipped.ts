import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'

/** A path of a package, as tar lists it. */
export interface Shipped {
  /** `/.`, `/usr`, `/usr/bin`, … */
  readonly path: string
  /** tar's first column: `drwxr-xr-x`. */
  readonly mode: string
  /** Numeric: `0/0`. */
  readonly owner: string
}

// Packages may be unpacked in any order, two at a time: the links of the merged /usr have to be there before them.
export function prepareMergedUsr(root: string): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(`${root}/usr/${name}`, { recursive: true })
    if (!existsSync(`${root}/${name}`)) symlinkSync(`usr/${name}`, `${root}/${name}`)
  }
}

const LINE = /^(\S+) +(\d+\/\d+) +\S+ \d+-\d\d-\d\d \d\d:\d\d(?::\d\d)? (.*)$/

/** Reads what `tar -vv` says of archives that follow one another, each of which begins with `./`. */
export function parseListing(text: string): Shipped[][] {
  const archives: Shipped[][] = []
  for (const line of text.trimEnd().split('\n')) {
    const [, mode, owner, name] = LINE.exec(line) ?? []
    if (mode === undefined || owner === undefined || name === undefined)
      throw new Error(`tar lists what is not understood: '${line}'`)
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

/**
 * Two packages may ship one directory, not one file. Where they give the directory different modes or owners, the first
 * package's are kept, as dpkg does: which of them was unpacked last is chance.
 */
export function mendDirectories(root: string, packages: readonly (readonly Shipped[])[]): void {
  const first = new Map<string, Shipped>()
  const mended = new Set<string>()
  for (const item of packages.flat()) {
    const known = first.get(item.path)
    first.set(item.path, known ?? item)
    if (known === undefined || item.path === '/.') continue
    if (!item.mode.startsWith('d') || !known.mode.startsWith('d')) throw new Error(`two packages ship '${item.path}'`)
    if ((item.mode !== known.mode || item.owner !== known.owner) && !mended.has(item.path)) {
      const [uid = 0, gid = 0] = known.owner.split('/').map(Number)
      chownSync(root + item.path, uid, gid)
      chmodSync(root + item.path, modeOf(known.mode))
      mended.add(item.path)
    }
  }
}

/** `drwxr-sr-t` as a number. */
export function modeOf(text: string): number {
  const bits = [...text.slice(1, 10)].map((letter, index) =>
    letter === '-' || letter === 'S' || letter === 'T' ? 0 : 1 << (8 - index),
  )
  const special = (index: number, value: number) => (/[sStT]/.test(text[index] ?? '') ? value : 0)
  return bits.reduce((sum, bit) => sum + bit, special(3, 0o4000) + special(6, 0o2000) + special(9, 0o1000))
}
