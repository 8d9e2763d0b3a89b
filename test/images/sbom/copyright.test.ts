import { describe, expect, it } from 'vitest'
import { parseCopyright } from '../../../images/sbom/copyright.ts'

const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
const FILES = 'Files: *\nCopyright: 2020 Jane Doe\nLicense: Expat\n'

describe('parseCopyright', () => {
  it('reads the licences of files, and licence texts in separate stanzas', () => {
    const text = `${FORMAT}Upstream-Name: one\n\n${FILES}\nFiles: debian/*\nCopyright: 2021 Other\nLicense: GPL-2+\n Short.\n\nLicense: Expat\n Permission\n .\n  is granted\n`
    const read = parseCopyright(text)
    expect(read?.statements).toEqual([
      { synopsis: 'Expat', text: '' },
      { synopsis: 'GPL-2+', text: 'Short.' },
    ])
    expect(Object.fromEntries(read?.texts ?? [])).toEqual({ expat: 'Permission\n\n is granted' })
  })

  it('reads a licence of the whole package before the licences of files', () => {
    const read = parseCopyright(`${FORMAT}License: GPL-3+\n\n${FILES}`)
    expect(read?.statements.map(({ synopsis }) => synopsis)).toEqual(['GPL-3+', 'Expat'])
  })

  it.each([
    ['Format: http://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'],
    ['Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0'],
    ['FORMAT:   https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/  '],
  ])('accepts the Format field %j', (format) => {
    expect(parseCopyright(`${format}\n\n${FILES}`)).toBeDefined()
  })

  it('accepts comments, carriage returns and a byte order mark', () => {
    const text = `\uFEFF# written by hand\n${FORMAT}\n\n${FILES}`.replaceAll('\n', '\r\n')
    expect(parseCopyright(text)?.statements).toEqual([{ synopsis: 'Expat', text: '' }])
  })

  it('accepts duplicates of fields that it does not read', () => {
    expect(parseCopyright(`${FORMAT}\n${FILES}Comment: one\nComment: two\n`)).toBeDefined()
  })
})

describe('parseCopyright without a result', () => {
  it.each([
    ['if the file names no format', `Upstream-Name: one\n\n${FILES}`],
    [
      'for a draft of the format',
      `Format: http://svn.debian.org/wsvn/dep/web/deps/dep5.mdwn?op=file&rev=174\n\n${FILES}`,
    ],
    ['for a later format', `${FORMAT.replace('1.0', '2.0')}\n${FILES}`],
    ['for prose', 'This package was debianized by Jane Doe.\n\nIt is under the GPL.\n'],
    ['for an empty file', ''],
    ['if no stanza has Files', `${FORMAT}\nLicense: Expat\n Text\n`],
    ['if files have no licence', `${FORMAT}\nFiles: *\nCopyright: 2020 Jane Doe\n`],
    ['if a line belongs to no field', `${FORMAT}\n${FILES}and more\n`],
    ['if a text continues after an empty line', `${FORMAT}\n${FILES} one\n\n two\n`],
    ['if a stanza has two licences', `${FORMAT}\n${FILES}License: GPL-2\n`],
    ['if the empty line between two stanzas is missing', `${FORMAT}\n${FILES}Files: b\nLicense: ISC\n`],
  ])('returns undefined %s', (_, text) => {
    expect(parseCopyright(text)).toBeUndefined()
  })
})
