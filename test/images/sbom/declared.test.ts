import parse from 'spdx-expression-parse'
import { describe, expect, it } from 'vitest'
import { declaredLicence } from '../../../images/sbom/declared.ts'

/** A copyright file with one Files stanza per licence field, and separate stanzas with licence texts. */
function copyright(licences: readonly string[], texts: readonly string[] = []): string {
  const files = licences.map((licence, at) => `Files: ${at}/*\nCopyright: 2020 Jane Doe\nLicense: ${licence}\n`)
  const alone = texts.map((text) => `License: ${text}\n`)
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
  return [format, ...files, ...alone].join('\n')
}

describe('declaredLicence', () => {
  it.each([
    [['Expat'], 'MIT'],
    [['GPL-2+', 'Expat', 'GPL-2+'], 'GPL-2.0-or-later AND MIT'],
    [['GPL-2+ and Expat'], 'GPL-2.0-or-later AND MIT'],
    [['GPL-2 or Expat', 'Expat or GPL-2'], '(GPL-2.0-only OR MIT)'],
    [['GPL-2 or Expat and ISC', 'Zlib'], '((ISC AND MIT) OR GPL-2.0-only) AND Zlib'],
    [['GPL-2 or GPL-2.0'], 'GPL-2.0-only'],
  ])('joins the licence fields %j without duplicates', (licences, expression) => {
    expect(declaredLicence(copyright(licences))).toEqual({ expression, others: [] })
    expect(() => parse(expression)).not.toThrow()
  })

  it('uses the package’s own name and text for a licence that is not on SPDX’s list', () => {
    const declared = declaredLicence(
      copyright(['GPL-2+ or Artistic'], ['Artistic\n You may.', 'GPL-2+\n See elsewhere.']),
    )
    const [other] = declared?.others ?? []
    expect(other).toMatchObject({ name: 'Artistic', extractedText: 'You may.' })
    expect(other?.licenseId).toMatch(/^LicenseRef-Artistic-[0-9a-f]{12}$/)
    expect(declared?.expression).toBe(`(GPL-2.0-or-later OR ${other?.licenseId})`)
    expect(() => parse(declared?.expression ?? '')).not.toThrow()
  })

  it('prefers the licence text in the files’ own stanza', () => {
    const declared = declaredLicence(copyright(['custom\n Mine.', 'custom'], ['Custom\n Ours.']))
    expect(declared?.others.map(({ extractedText }) => extractedText)).toEqual(['Mine.', 'Ours.'])
    expect(new Set(declared?.others.map(({ licenseId }) => licenseId)).size).toBe(2)
  })

  it('uses the licence field as text if the file has no text', () => {
    expect(declaredLicence(copyright(['custom']))?.others[0]).toMatchObject({ extractedText: 'License: custom' })
  })

  it('keeps a licence field that it cannot parse as one licence', () => {
    const declared = declaredLicence(copyright(['GPL-2+, and some more (see below)\n Below.']))
    expect(declared?.others).toEqual([
      { licenseId: declared?.expression, name: 'GPL-2+, and some more (see below)', extractedText: 'Below.' },
    ])
    expect(declared?.expression).toMatch(/^LicenseRef-GPL-2-and-some-more-see-below-[0-9a-f]{12}$/)
  })

  it('gives an id to a licence that has only a text', () => {
    const declared = declaredLicence(copyright(['\n You may.']))
    expect(declared?.others).toMatchObject([{ name: 'NOASSERTION', extractedText: 'You may.' }])
    expect(declared?.expression).toMatch(/^LicenseRef-unnamed-/)
  })

  it('gives the same id to the same text in two packages, and another id to another text', () => {
    const idOf = (text: string) => declaredLicence(copyright([`public-domain\n ${text}`]))?.expression
    expect(idOf('Mine.')).toBe(idOf('Mine.'))
    expect(idOf('Mine.')).not.toBe(idOf('Yours.'))
  })

  it('returns undefined for a file that is not machine-readable', () => {
    expect(declaredLicence('It is under the GPL, version 2 or later.\n')).toBeUndefined()
  })
})
