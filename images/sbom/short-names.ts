/**
 * Debian's standard short names ("Machine-readable debian/copyright file" 1.0, section 7.1) that mean exactly one licence
 * of SPDX's list. Names that Debian does not define are not here, even if SPDX has the same name, because each package
 * gives them its own meaning.
 */
const SINGLE: Readonly<Record<string, string>> = {
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  cc0: 'CC0-1.0',
  expat: 'MIT',
  isc: 'ISC',
  qpl: 'QPL-1.0',
  zlib: 'Zlib',
}

/**
 * Licence families with versions. By the standard, a name without a version means the lowest version, but authors rarely
 * mean that, so such names are not here. Artistic 1.0 and W3C are not here, because SPDX has three variants of each.
 * Perl and public-domain are not here, because they are not licences.
 */
const FAMILIES: readonly Family[] = [
  { name: 'apache', id: (version) => `Apache-${version}`, versions: ['1.0', '2.0'], later: '+' },
  { name: 'artistic', id: (version) => `Artistic-${version}`, versions: ['2.0'], later: '+' },
  ...['CC-BY', 'CC-BY-SA', 'CC-BY-ND', 'CC-BY-NC', 'CC-BY-NC-SA', 'CC-BY-NC-ND'].map(
    (name): Family => ({
      name: name.toLowerCase(),
      id: (version) => `${name}-${version}`,
      versions: ['1.0', '2.0', '2.5', '3.0', '4.0'],
      later: '+',
    }),
  ),
  { name: 'cc0', id: (version) => `CC0-${version}`, versions: ['1.0'], later: '+' },
  { name: 'cddl', id: (version) => `CDDL-${version}`, versions: ['1.0', '1.1'], later: '+' },
  { name: 'cpl', id: (version) => `CPL-${version}`, versions: ['1.0'], later: '+' },
  { name: 'efl', id: (version) => `EFL-${version}`, versions: ['1.0', '2.0'], later: '+' },
  { name: 'gfdl', id: (version) => `GFDL-${version}`, versions: ['1.1', '1.2', '1.3'], later: 'gnu' },
  { name: 'gfdl-niv', id: (version) => `GFDL-${version}-no-invariants`, versions: ['1.1', '1.2', '1.3'], later: 'gnu' },
  { name: 'gpl', id: (version) => `GPL-${version}`, versions: ['1.0', '2.0', '3.0'], later: 'gnu' },
  { name: 'lgpl', id: (version) => `LGPL-${version}`, versions: ['2.0', '2.1', '3.0'], later: 'gnu' },
  { name: 'lppl', id: (version) => `LPPL-${version}`, versions: ['1.0', '1.1', '1.2', '1.3c'], later: '+' },
  { name: 'mpl', id: (version) => `MPL-${version}`, versions: ['1.0', '1.1', '2.0'], later: '+' },
  { name: 'python', id: (version) => `Python-${version}`, versions: ['2.0'], later: '+' },
  { name: 'qpl', id: (version) => `QPL-${version}`, versions: ['1.0'], later: '+' },
  { name: 'zope', id: (version) => `ZPL-${version}`, versions: ['1.1', '2.0', '2.1'], later: '+' },
]

interface Family {
  readonly name: string
  readonly id: (version: string) => string
  /** Versions that SPDX's list has. */
  readonly versions: readonly string[]
  /** How SPDX writes "or any later version": `+`, or the endings `-or-later` and `-only` of GNU licences. */
  readonly later: '+' | 'gnu'
}

/** The SPDX id of Debian's short name. Undefined if the name does not mean exactly one licence. */
export function spdxLicence(shortName: string): string | undefined {
  const name = shortName.toLowerCase()
  if (Object.hasOwn(SINGLE, name)) return SINGLE[name]
  const [, familyName, wanted, later = ''] = /^(.+?)-(\d[\d.]*[a-z]?)(\+|-only|-or-later)?$/.exec(name) ?? []
  const family = FAMILIES.find((each) => each.name === familyName)
  const version = family?.versions.find((each) => withoutZeros(each) === withoutZeros(wanted ?? ''))
  if (family === undefined || version === undefined) return undefined
  if (family.later === 'gnu') return `${family.id(version)}${/^(\+|-or-later)$/.test(later) ? '-or-later' : '-only'}`
  return later === '' || later === '+' ? family.id(version) + later : undefined
}

/** By the standard, trailing `.0` components of a version have no meaning. */
function withoutZeros(version: string): string {
  return version.replace(/(\.0)+$/, '')
}
