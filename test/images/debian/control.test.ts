import { describe, expect, it } from 'vitest'
import { parseControl, parseParagraph } from '../../../images/debian/control.ts'

describe('control data', () => {
  it('has paragraphs with an empty line or more between them', () => {
    const paragraphs = parseControl('Package: a\nVersion: 1\n\n \n\nPackage: b\n')
    expect(paragraphs.map((each) => Object.fromEntries(each))).toEqual([
      { package: 'a', version: '1' },
      { package: 'b' },
    ])
  })

  it('keeps the further lines of a value', () => {
    const text = 'Description: first\n second\n .\n\tthird\nSize: 3\n'
    expect(Object.fromEntries(parseParagraph(text))).toEqual({ description: 'first\nsecond\n.\nthird', size: '3' })
  })

  it('leaves out comments and lines that are no fields', () => {
    expect(Object.fromEntries(parseParagraph('# Package: x\nnonsense\nPackage: a\n# more\n'))).toEqual({ package: 'a' })
  })

  it('finds fields whatever case they are written in', () => {
    expect(parseParagraph('URIs: http://deb.debian.org/debian').get('uris')).toBe('http://deb.debian.org/debian')
  })
})
