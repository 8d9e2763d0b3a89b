/**
 * Debian's standard short names ("Machine-readable debian/copyright file" 1.0, section 7.1) whose meaning is exactly one
 * licence of SPDX's list. Names that Debian does not define are not here, even where SPDX has the same: what they mean is
 * up to each package.
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
 * Families whose versions count. A name without one means the lowest by the standard and hardly ever by its author: it
 * is not here. Neither are Artistic 1.0, of which SPDX knows three, W3C, of which it knows three too, Perl and
 * public-domain, which are no licences.
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
  /** Those that SPDX has, too. */
  readonly versions: readonly string[]
  /** How SPDX says "or any later version": GNU's licences have an id for it, and another one without it. */
  readonly later: '+' | 'gnu'
}

/** SPDX's name of a licence that Debian's short name stands for; undefined where that is not exactly one. */
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

/** By the standard, versions with zeros at their end are those without. */
function withoutZeros(version: string): string {
  return version.replace(/(\.0)+$/, '')
}
