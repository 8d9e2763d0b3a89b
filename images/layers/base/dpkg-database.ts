import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import { type Deb, databaseName, packageName } from '../parts/deb.ts'

/** The state of a package in dpkg's database: before or after configuration. */
export type PackageState = 'unpacked' | 'installed'

/** One state of all packages, or the state of each. */
export type PackageStates = PackageState | ((deb: Deb) => PackageState)

/** Writes the database that dpkg would have written if it had unpacked the packages itself. */
export function writeDatabase(
  root: string,
  debs: readonly Deb[],
  states: PackageStates,
  architecture: Architecture,
): void {
  const database = `${root}/var/lib/dpkg`
  for (const name of ['info', 'updates', 'triggers', 'parts', 'alternatives'])
    mkdirSync(`${database}/${name}`, { recursive: true })
  const stateOf = typeof states === 'string' ? () => states : states
  const sorted = [...debs].sort((a, b) => (packageName(a) < packageName(b) ? -1 : 1))
  writeFileSync(`${database}/status`, sorted.map((deb) => `${statusParagraph(root, deb, stateOf(deb))}\n\n`).join(''))
  writeFileSync(`${database}/info/format`, '1\n')
  writeFileSync(`${database}/arch-native`, `${architecture}\n`)
  for (const name of ['diversions', 'statoverride'])
    if (!existsSync(`${database}/${name}`)) writeFileSync(`${database}/${name}`, '')
  for (const deb of debs) writeInfo(database, deb)
  writeTriggers(database, debs)
}

// The order of fields in dpkg (lib/dpkg/parse.c, fieldinfos). Other fields follow in the package's order.
const ORDER = (
  'Package Essential Protected Status Priority Section Installed-Size Origin Maintainer Bugs Architecture Multi-Arch ' +
  'Source Version Config-Version Replaces Provides Depends Pre-Depends Recommends Suggests Breaks Conflicts Enhances ' +
  'Conffiles Description'
).split(' ')

function statusParagraph(root: string, deb: Deb, state: PackageState): string {
  const fields = new Map(deb.fields)
  fields.set('Status', `install ok ${state}`)
  const conffiles = (deb.control.get('conffiles') ?? '').split('\n').filter((line) => line !== '')
  if (conffiles.length > 0)
    fields.set('Conffiles', conffiles.map((line) => `\n ${conffile(root, line, state)}`).join(''))
  const known = ORDER.filter((name) => fields.has(name))
  const others = [...fields.keys()].filter((name) => !ORDER.includes(name))
  return [...known, ...others].map((name) => `${name}:${spaced(fields.get(name) ?? '')}`).join('\n')
}

function spaced(value: string): string {
  return value.startsWith('\n') ? value : ` ${value}`
}

/**
 * The database line of a conffile: `/etc/x MD5`. A flag means that the package does not ship the file
 * (deb-conffiles(5): `remove-on-upgrade /etc/x`).
 */
function conffile(root: string, line: string, state: PackageState): string {
  const [path = '', flag] = line.split(' ').reverse()
  if (flag !== undefined) return `${path} newconffile ${flag}`
  if (state === 'unpacked' || !existsSync(root + path)) return `${path} newconffile`
  return `${path} ${createHash('md5')
    .update(readFileSync(root + path))
    .digest('hex')}`
}

function writeInfo(database: string, deb: Deb): void {
  const base = `${database}/info/${databaseName(deb)}`
  writeFileSync(`${base}.list`, deb.files.map((path) => `${path}\n`).join(''))
  for (const [name, text] of deb.control) {
    const mode = /^(pre|post)(inst|rm)$|^config$/.test(name) ? 0o755 : 0o644
    writeFileSync(`${base}.${name}`, text, { mode })
  }
}

/** Writes which packages are interested in which triggers. dpkg does this when it unpacks, and scripts need it. */
function writeTriggers(database: string, debs: readonly Deb[]): void {
  const files: string[] = []
  const named = new Map<string, string[]>()
  for (const deb of debs) {
    for (const line of (deb.control.get('triggers') ?? '').split('\n')) {
      const [, directive = '', name = ''] = /^(interest\S*)\s+(\S+)/.exec(line) ?? []
      if (name === '') continue
      const suffix = directive.endsWith('-noawait') ? '/noawait' : ''
      const interested = `${databaseName(deb)}${suffix}`
      if (name.startsWith('/')) files.push(`${name} ${interested}`)
      else named.set(name, [...(named.get(name) ?? []), interested])
    }
  }
  writeFileSync(`${database}/triggers/File`, files.map((line) => `${line}\n`).join(''))
  for (const [name, interested] of named)
    writeFileSync(`${database}/triggers/${name}`, interested.map((line) => `${line}\n`).join(''))
}
