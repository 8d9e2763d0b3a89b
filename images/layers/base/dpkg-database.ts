import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import { controlText, type Deb, databaseName, packageName, parseFields } from '../parts/deb.ts'

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
  const status = sorted.map((deb) => `${statusParagraph(root, deb, stateOf(deb))}\n\n`).join('')
  writeFileSync(`${database}/status`, status, 'latin1')
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

/** The paragraph as text with one character per byte, as `controlText` returns it. */
function statusParagraph(root: string, deb: Deb, state: PackageState): string {
  const fields = parseFields(controlText(deb, 'control'))
  fields.set('Status', `install ok ${state}`)
  const conffiles = controlText(deb, 'conffiles')
    .split('\n')
    .filter((line) => line !== '')
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
  // A flag comes first and has no '/', and a path may have spaces.
  const [, flag = '', path = ''] = /^([^/]*)(.*)$/s.exec(line.trimEnd()) ?? []
  if (flag !== '') return `${path} newconffile ${flag.trim()}`
  const file = Buffer.from(root + path, 'latin1')
  if (state === 'unpacked' || !existsSync(file)) return `${path} newconffile`
  return `${path} ${createHash('md5').update(readFileSync(file)).digest('hex')}`
}

function writeInfo(database: string, deb: Deb): void {
  const base = `${database}/info/${databaseName(deb)}`
  writeFileSync(`${base}.list`, deb.files.map((path) => `${path}\n`).join(''))
  for (const [name, bytes] of deb.control) {
    if (name === 'control') continue
    const mode = /^(pre|post)(inst|rm)$|^config$/.test(name) ? 0o755 : 0o644
    writeFileSync(`${base}.${name}`, bytes, { mode })
  }
}

/** Writes which packages are interested in which triggers. dpkg does this when it unpacks, and scripts need it. */
function writeTriggers(database: string, debs: readonly Deb[]): void {
  const files: string[] = []
  const named = new Map<string, string[]>()
  for (const deb of debs) {
    for (const line of controlText(deb, 'triggers').split('\n')) {
      const [, directive = '', name = ''] = /^(interest\S*)[ \t]+([^ \t]+)/.exec(line) ?? []
      if (name === '') continue
      const suffix = directive.endsWith('-noawait') ? '/noawait' : ''
      const interested = `${databaseName(deb)}${suffix}`
      if (name.startsWith('/')) files.push(`${name} ${interested}`)
      else named.set(name, [...(named.get(name) ?? []), interested])
    }
  }
  writeFileSync(`${database}/triggers/File`, files.map((line) => `${line}\n`).join(''), 'latin1')
  for (const [name, interested] of named)
    writeFileSync(Buffer.from(`${database}/triggers/${name}`, 'latin1'), interested.map((line) => `${line}\n`).join(''))
}
