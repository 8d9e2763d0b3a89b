import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { capture, inPairs } from './exec.ts'

/** A Debian package as it was unpacked. */
export interface Deb {
  readonly fields: ReadonlyMap<string, string>
  /** What it ships, in the archive's order: `/.`, `/usr`, `/usr/bin`, … */
  readonly files: readonly string[]
  /** Control files by name (`postinst`, `conffiles`, …), without `control` itself. */
  readonly control: ReadonlyMap<string, string>
}

/** Unpacks packages into a root that has the merged /usr, without running anything. */
export async function unpackDebs(debs: readonly string[], root: string, exclude: readonly string[] = []): Promise<Deb[]> {
  prepareMergedUsr(root)
  return inPairs(debs, (deb) => unpack(deb, root, exclude))
}

// Packages may be unpacked in any order, two at a time: the links of the merged /usr have to be there before them.
function prepareMergedUsr(root: string): void {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(`${root}/usr/${name}`, { recursive: true })
    if (!existsSync(`${root}/${name}`)) symlinkSync(`usr/${name}`, `${root}/${name}`)
  }
}

const PIPE = 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x -p -v --numeric-owner --same-owner --keep-directory-symlink -C "$2" "${@:4}"; dpkg-deb -e "$1" "$3"'

async function unpack(deb: string, root: string, exclude: readonly string[]): Promise<Deb> {
  const controlDirectory = `/build/control/${deb.split('/').at(-1)}`
  mkdirSync(controlDirectory, { recursive: true })
  const listing = await capture('bash', ['-ec', PIPE, 'unpack', deb, root, controlDirectory, ...exclude.map((each) => `--exclude=${each}`)])
  const control = new Map<string, string>()
  for (const name of readdirSync(controlDirectory)) control.set(name, readFileSync(`${controlDirectory}/${name}`, 'utf8'))
  const fields = parseFields(control.get('control') ?? '')
  control.delete('control')
  return { fields, files: listing.trimEnd().split('\n').map(listedPath), control }
}

function listedPath(name: string): string {
  const path = name.replace(/^\./, '').replace(/\/$/, '')
  return path === '' ? '/.' : path
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

