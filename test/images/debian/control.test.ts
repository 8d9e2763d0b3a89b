import { describe, expect, it } from 'vitest'
import { parseControl, parseParagraph } from '../../../images/debian/control.ts'

describe('parseControl', () => {
  it('splits paragraphs at one or more empty lines', () => {
    const paragraphs = parseControl('Package: a\nVersion: 1\n\n \n\nPackage: b\n')
    expect(paragraphs.map((each) => Object.fromEntries(each))).toEqual([
      { package: 'a', version: '1' },
      { package: 'b' },
    ])
  })

  it('keeps continuation lines of a control field', () => {
    const text = 'Description: first\n second\n .\n\tthird\nSize: 3\n'
    expect(Object.fromEntries(parseParagraph(text))).toEqual({ description: 'first\nsecond\n.\nthird', size: '3' })
  })

  it('ignores comments and lines without a field name', () => {
    expect(Object.fromEntries(parseParagraph('# Package: x\nnonsense\nPackage: a\n# more\n'))).toEqual({ package: 'a' })
  })

  it('ignores the case of field names', () => {
    expect(parseParagraph('URIs: http://deb.debian.org/debian').get('uris')).toBe('http://deb.debian.org/debian')
  })
})
