import { describe, expect, it } from 'vitest'
import { packageIndex } from '../../../images/debian/package-index.ts'

const TEXT = `Package: mawk
Version: 1.3
Provides: awk
Description: not a
 Package: inside-a-value
 Essential: yes

Package: bash
Essential: yes
Version: 5.2

Package: gawk
Version: 5.3
Provides: awk, libgawk (= 5.3), gawk

Package: mawk
Version: 1.4
`

const index = packageIndex(Buffer.from(TEXT))

describe('packageIndex', () => {
  it('finds all paragraphs of a package, in the order of the file', () => {
    expect(index.named('mawk').map((each) => each.get('version'))).toEqual(['1.3', '1.4'])
    expect(index.named('bash').map((each) => each.get('version'))).toEqual(['5.2'])
    expect(index.size).toBe(3)
  })

  it('ignores field names inside the value of another field', () => {
    expect(index.named('inside-a-value')).toEqual([])
    expect(index.named('maw')).toEqual([])
  })

  it('finds the packages that provide a name, with or without a version', () => {
    expect(index.providers('awk')).toEqual(['mawk', 'gawk'])
    expect(index.providers('libgawk')).toEqual(['gawk'])
    expect(index.providers('gawk')).toEqual([])
  })

  it('finds essential packages', () => {
    expect(index.essential()).toEqual(['bash'])
  })

  it('an empty file gives an empty package index', () => {
    const empty = packageIndex(new Uint8Array())
    expect([empty.size, empty.named('bash'), empty.essential()]).toEqual([0, [], []])
  })
})
