import { describe, expect, it } from 'vitest'
import { accepts, formatRelations, parseRelations, type Relation } from '../../../images/debian/relation.ts'

describe('parseRelations', () => {
  it('parses alternatives with versions and qualifiers', () => {
    expect(parseRelations('libc6 (>= 2.41), default-mta | mail-transport-agent, python3:any (<<3.14~)')).toEqual([
      [{ package: 'libc6', qualifier: undefined, version: { operator: '>=', wanted: '2.41' } }],
      [
        { package: 'default-mta', qualifier: undefined, version: undefined },
        { package: 'mail-transport-agent', qualifier: undefined, version: undefined },
      ],
      [{ package: 'python3', qualifier: 'any', version: { operator: '<<', wanted: '3.14~' } }],
    ])
  })

  it('reads the deprecated < and > as <= and >=', () => {
    const operators = parseRelations('a (< 1), b (> 1)')
      .flat()
      .map(({ version }) => version?.operator)
    expect(operators).toEqual(['<=', '>='])
  })

  it('ignores empty groups in a relation', () => {
    expect(parseRelations(' , a,\n b ,')).toHaveLength(2)
    expect(parseRelations('')).toEqual([])
  })

  it('parseRelations is the inverse of formatRelations', () => {
    const text = 'libc6 (>= 2.41), default-mta | mail-transport-agent, python3:any (<< 3.14~)'
    expect(formatRelations(parseRelations(text))).toBe(text)
  })

  it('refuses a relation with a syntax error', () => {
    expect(() => parseRelations('libc6 (about 2)')).toThrow("invalid package relation: 'libc6 (about 2)'")
  })

  it('accepts every version for a relation without a version', () => {
    const [[any], [newer]] = parseRelations('a, a (>> 1)') as [[Relation], [Relation]]
    expect([accepts(any, '1'), accepts(newer, '1'), accepts(newer, '1+b1')]).toEqual([true, false, true])
  })
})
