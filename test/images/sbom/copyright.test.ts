import { describe, expect, it } from 'vitest'
import { parseCopyright } from '../../../images/sbom/copyright.ts'

const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
const FILES = 'Files: *\nCopyright: 2020 Somebody\nLicense: Expat\n'

describe('a copyright file that machines can read', () => {
  it('states licences of files, and may give a text for all of them in a stanza of its own', () => {
    const text = `${FORMAT}Upstream-Name: one\n\n${FILES}\nFiles: debian/*\nCopyright: 2021 Other\nLicense: GPL-2+\n Short.\n\nLicense: Expat\n Permission\n .\n  is granted\n`
    const read = parseCopyright(text)
    expect(read?.statements).toEqual([
      { synopsis: 'Expat', text: '' },
      { synopsis: 'GPL-2+', text: 'Short.' },
    ])
    expect(Object.fromEntries(read?.texts ?? [])).toEqual({ expat: 'Permission\n\n is granted' })
  })

  it('may state a licence for the package as a whole, before those of files', () => {
    const read = parseCopyright(`${FORMAT}License: GPL-3+\n\n${FILES}`)
    expect(read?.statements.map(({ synopsis }) => synopsis)).toEqual(['GPL-3+', 'Expat'])
  })

  it.each([
    ['Format: http://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'],
    ['Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0'],
    ['FORMAT:   https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/  '],
  ])('says so: %j', (format) => {
    expect(parseCopyright(`${format}\n\n${FILES}`)).toBeDefined()
  })

  it('may have comments, lines that end in carriage returns, and a byte order mark', () => {
    const text = `\uFEFF# written by hand\n${FORMAT}\n\n${FILES}`.replaceAll('\n', '\r\n')
    expect(parseCopyright(text)?.statements).toEqual([{ synopsis: 'Expat', text: '' }])
  })

  it('may comment on something twice, which is not read', () => {
    expect(parseCopyright(`${FORMAT}\n${FILES}Comment: one\nComment: two\n`)).toBeDefined()
  })
})

describe('nothing is read', () => {
  it.each([
    ['where no format is named', `Upstream-Name: one\n\n${FILES}`],
    [
      'of a draft of the format',
      `Format: http://svn.debian.org/wsvn/dep/web/deps/dep5.mdwn?op=file&rev=174\n\n${FILES}`,
    ],
    ['of a later format', `${FORMAT.replace('1.0', '2.0')}\n${FILES}`],
    ['of prose', 'This package was debianized by Somebody.\n\nIt is under the GPL.\n'],
    ['of an empty file', ''],
    ['where no files are named', `${FORMAT}\nLicense: Expat\n Text\n`],
    ['where files have no licence', `${FORMAT}\nFiles: *\nCopyright: 2020 Somebody\n`],
    ['where a line belongs to nothing', `${FORMAT}\n${FILES}and more\n`],
    ['where a text goes on after an empty line', `${FORMAT}\n${FILES} one\n\n two\n`],
    ['where a stanza has two licences', `${FORMAT}\n${FILES}License: GPL-2\n`],
    ['where an empty line between two stanzas is missing', `${FORMAT}\n${FILES}Files: b\nLicense: ISC\n`],
  ])('%s', (_, text) => {
    expect(parseCopyright(text)).toBeUndefined()
  })
})
