import parse from 'spdx-expression-parse'
import { describe, expect, it } from 'vitest'
import { spdxLicence } from '../../../images/sbom/short-names.ts'

describe('spdxLicence', () => {
  it.each([
    ['GPL-2', 'GPL-2.0-only'],
    ['GPL-2+', 'GPL-2.0-or-later'],
    ['GPL-2.0+', 'GPL-2.0-or-later'],
    ['GPL-2.0.0', 'GPL-2.0-only'],
    ['gpl-3+', 'GPL-3.0-or-later'],
    ['GPL-2.0-only', 'GPL-2.0-only'],
    ['LGPL-2.1-or-later', 'LGPL-2.1-or-later'],
    ['LGPL-2', 'LGPL-2.0-only'],
    ['LGPL-2.1', 'LGPL-2.1-only'],
    ['GFDL-1.3+', 'GFDL-1.3-or-later'],
    ['GFDL-NIV-1.3', 'GFDL-1.3-no-invariants-only'],
    ['Apache-2', 'Apache-2.0'],
    ['Apache-2.0', 'Apache-2.0'],
    ['Artistic-2', 'Artistic-2.0'],
    ['BSD-3-clause', 'BSD-3-Clause'],
    ['BSD-3-Clause', 'BSD-3-Clause'],
    ['CC-BY-SA-4.0', 'CC-BY-SA-4.0'],
    ['CC0', 'CC0-1.0'],
    ['CC0-1.0', 'CC0-1.0'],
    ['Expat', 'MIT'],
    ['ISC', 'ISC'],
    ['LPPL-1.3c', 'LPPL-1.3c'],
    ['MPL-1.1+', 'MPL-1.1+'],
    ['MPL-2.0', 'MPL-2.0'],
    ['ZLIB', 'Zlib'],
    ['Zope-2.1', 'ZPL-2.1'],
  ])('translates the licence %s to %s', (name, id) => {
    expect(spdxLicence(name)).toBe(id)
    expect(() => parse(id)).not.toThrow()
  })

  it.each([
    ['MIT', 'it has many variants'],
    ['GPL', 'it means the lowest version by the standard, but authors rarely mean that'],
    ['LGPL', 'it means the lowest version by the standard, but authors rarely mean that'],
    ['GPL-4', 'this version does not exist'],
    ['GPL-2.1', 'this version does not exist'],
    ['GPLv2+', 'it is not a name of the standard'],
    ['Artistic', 'SPDX has three variants'],
    ['Artistic-1.0', 'SPDX has three variants'],
    ['W3C', 'SPDX has three variants'],
    ['public-domain', 'it is not a licence'],
    ['Perl', 'it means two licences'],
    ['BSD-3-clause-Oracle', 'it is another licence'],
    ['EPL-2.0', 'the standard does not define it, although SPDX has the name'],
    ['GPL-2+ with Autoconf exception', 'each package words the exception itself'],
    ['Apache-2.0-only', 'only GNU licences have this ending'],
    ['constructor', 'it is unknown'],
    ['', 'it is unknown'],
  ])('does not translate the licence %j: %s', (name) => {
    expect(spdxLicence(name)).toBeUndefined()
  })

  it('returns only licence ids on SPDX’s list', () => {
    const families = ['apache', 'artistic', 'cc-by', 'cc-by-sa', 'cc-by-nd', 'cc-by-nc', 'cc-by-nc-sa', 'cc-by-nc-nd']
    const others = [
      'cc0',
      'cddl',
      'cpl',
      'efl',
      'gfdl',
      'gfdl-niv',
      'gpl',
      'lgpl',
      'lppl',
      'mpl',
      'python',
      'qpl',
      'zope',
    ]
    const versions = ['1', '1.1', '1.2', '1.3', '1.3c', '2', '2.1', '2.5', '3', '4']
    const found = [...families, ...others].flatMap((family) =>
      versions.flatMap((version) => ['', '+'].map((later) => spdxLicence(`${family}-${version}${later}`) ?? [])).flat(),
    )
    expect(found.length).toBeGreaterThan(80)
    expect(found.filter((id) => !isInList(id))).toEqual([])
    expect(isInList('LPPL-1.3')).toBe(false)
  })
})

function isInList(id: string): boolean {
  try {
    parse(id)
    return true
  } catch {
    return false
  }
}
