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

describe('an index of packages', () => {
  it('finds every paragraph of a name, in the order of the file', () => {
    expect(index.named('mawk').map((each) => each.get('version'))).toEqual(['1.3', '1.4'])
    expect(index.named('bash').map((each) => each.get('version'))).toEqual(['5.2'])
    expect(index.size).toBe(3)
  })

  it('takes no name from the inside of a value', () => {
    expect(index.named('inside-a-value')).toEqual([])
    expect(index.named('maw')).toEqual([])
  })

  it('knows who provides a name, with a version or without', () => {
    expect(index.providers('awk')).toEqual(['mawk', 'gawk'])
    expect(index.providers('libgawk')).toEqual(['gawk'])
    expect(index.providers('gawk')).toEqual([])
  })

  it('knows what is essential', () => {
    expect(index.essential()).toEqual(['bash'])
  })

  it('holds nothing where the file is empty', () => {
    const empty = packageIndex(new Uint8Array())
    expect([empty.size, empty.named('bash'), empty.essential()]).toEqual([0, [], []])
  })
})
