import { describe, expect, it } from 'vitest'
import { accepts, formatRelations, parseRelations, type Relation } from '../../../images/debian/relation.ts'

describe('relations between packages', () => {
  it('are groups of alternatives with versions and qualifiers', () => {
    expect(parseRelations('libc6 (>= 2.41), default-mta | mail-transport-agent, python3:any (<<3.14~)')).toEqual([
      [{ package: 'libc6', qualifier: undefined, version: { operator: '>=', wanted: '2.41' } }],
      [
        { package: 'default-mta', qualifier: undefined, version: undefined },
        { package: 'mail-transport-agent', qualifier: undefined, version: undefined },
      ],
      [{ package: 'python3', qualifier: 'any', version: { operator: '<<', wanted: '3.14~' } }],
    ])
  })

  it('read the old < and > as "or equal"', () => {
    const operators = parseRelations('a (< 1), b (> 1)')
      .flat()
      .map(({ version }) => version?.operator)
    expect(operators).toEqual(['<=', '>='])
  })

  it('leave out empty groups', () => {
    expect(parseRelations(' , a,\n b ,')).toHaveLength(2)
    expect(parseRelations('')).toEqual([])
  })

  it('are written as they were read', () => {
    const text = 'libc6 (>= 2.41), default-mta | mail-transport-agent, python3:any (<< 3.14~)'
    expect(formatRelations(parseRelations(text))).toBe(text)
  })

  it('refuse what is no relation', () => {
    expect(() => parseRelations('libc6 (about 2)')).toThrow("not a package relation: 'libc6 (about 2)'")
  })

  it('accept every version where none is named', () => {
    const [[any], [newer]] = parseRelations('a, a (>> 1)') as [[Relation], [Relation]]
    expect([accepts(any, '1'), accepts(newer, '1'), accepts(newer, '1+b1')]).toEqual([true, false, true])
  })
})
