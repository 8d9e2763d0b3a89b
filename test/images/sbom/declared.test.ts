import parse from 'spdx-expression-parse'
import { describe, expect, it } from 'vitest'
import { declaredLicence } from '../../../images/sbom/declared.ts'

/** A copyright file with these licence fields, each of some files, and these stanzas with a text for all. */
function copyright(licences: readonly string[], texts: readonly string[] = []): string {
  const files = licences.map((licence, at) => `Files: ${at}/*\nCopyright: 2020 Somebody\nLicense: ${licence}\n`)
  const alone = texts.map((text) => `License: ${text}\n`)
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
  return [format, ...files, ...alone].join('\n')
}

describe('what a package declares', () => {
  it.each([
    [['Expat'], 'MIT'],
    [['GPL-2+', 'Expat', 'GPL-2+'], 'GPL-2.0-or-later AND MIT'],
    [['GPL-2+ and Expat'], 'GPL-2.0-or-later AND MIT'],
    [['GPL-2 or Expat', 'Expat or GPL-2'], '(GPL-2.0-only OR MIT)'],
    [['GPL-2 or Expat and ISC', 'Zlib'], '((ISC AND MIT) OR GPL-2.0-only) AND Zlib'],
    [['GPL-2 or GPL-2.0'], 'GPL-2.0-only'],
  ])('is all that %j name, each once', (licences, expression) => {
    expect(declaredLicence(copyright(licences))).toEqual({ expression, others: [] })
    expect(() => parse(expression)).not.toThrow()
  })

  it('names what SPDX has no exact name for after the package’s own word and text', () => {
    const declared = declaredLicence(
      copyright(['GPL-2+ or Artistic'], ['Artistic\n You may.', 'GPL-2+\n See elsewhere.']),
    )
    const [other] = declared?.others ?? []
    expect(other).toMatchObject({ name: 'Artistic', extractedText: 'You may.' })
    expect(other?.licenseId).toMatch(/^LicenseRef-Artistic-[0-9a-f]{12}$/)
    expect(declared?.expression).toBe(`(GPL-2.0-or-later OR ${other?.licenseId})`)
    expect(() => parse(declared?.expression ?? '')).not.toThrow()
  })

  it('takes the text that stands beside the files before the one for all', () => {
    const declared = declaredLicence(copyright(['custom\n Mine.', 'custom'], ['Custom\n Ours.']))
    expect(declared?.others.map(({ extractedText }) => extractedText)).toEqual(['Mine.', 'Ours.'])
    expect(new Set(declared?.others.map(({ licenseId }) => licenseId)).size).toBe(2)
  })

  it('says as much as the file does where it gives no text', () => {
    expect(declaredLicence(copyright(['custom']))?.others[0]).toMatchObject({ extractedText: 'License: custom' })
  })

  it('keeps what it cannot take apart in one piece', () => {
    const declared = declaredLicence(copyright(['GPL-2+, and some more (see below)\n Below.']))
    expect(declared?.others).toEqual([
      { licenseId: declared?.expression, name: 'GPL-2+, and some more (see below)', extractedText: 'Below.' },
    ])
    expect(declared?.expression).toMatch(/^LicenseRef-GPL-2-and-some-more-see-below-[0-9a-f]{12}$/)
  })

  it('has a name for a licence that has only a text', () => {
    const declared = declaredLicence(copyright(['\n You may.']))
    expect(declared?.others).toMatchObject([{ name: 'NOASSERTION', extractedText: 'You may.' }])
    expect(declared?.expression).toMatch(/^LicenseRef-unnamed-/)
  })

  it('is the same name for the same text in two packages, and another for another', () => {
    const idOf = (text: string) => declaredLicence(copyright([`public-domain\n ${text}`]))?.expression
    expect(idOf('Nobody’s.')).toBe(idOf('Nobody’s.'))
    expect(idOf('Nobody’s.')).not.toBe(idOf('Somebody’s.'))
  })

  it('is nothing where no machine can read it', () => {
    expect(declaredLicence('It is under the GPL, version 2 or later.\n')).toBeUndefined()
  })
})
