import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { compareVersions, satisfies } from '../../../images/debian/version.ts'

/** Versions in ascending order. */
const RISING = [
  '1.0~~',
  '1.0~~a',
  '1.0~rc1-1',
  '1.0~rc1-1+b1',
  '1.0',
  '1.0-0.1',
  '1.0-1~bpo13+1',
  '1.0-1',
  '1.0-1+b1',
  '1.0-1+deb13u2',
  '1.0-1+deb13u10',
  '1.0-2',
  '1.0a-1',
  '1.0+dfsg-1',
  '1.0.1-1',
  '1.09-1',
  '1.10-1',
  '7.3.4-1~bpo13+1',
  '7.3.4-1',
  '20250419',
  '1:0.1',
  '1:1.3.dfsg+really1.3.1-1+b1',
  '2:1',
]
const EQUAL = [
  ['1.0', '0:1.0'],
  ['1.0', '1.0-0'],
  ['1.01-1', '1.1-1'],
  ['1.0-1', '1.0-01'],
] as const

describe('compareVersions', () => {
  it('sorts every version of the table before the later ones', () => {
    const sorted = [...RISING].reverse().sort(compareVersions)
    expect(sorted).toEqual(RISING)
    for (const [index, version] of RISING.entries()) {
      for (const newer of RISING.slice(index + 1)) {
        expect([version, newer, Math.sign(compareVersions(version, newer))]).toEqual([version, newer, -1])
        expect([newer, version, Math.sign(compareVersions(newer, version))]).toEqual([newer, version, 1])
      }
    }
  })

  it('treats versions as equal that dpkg treats as equal', () => {
    expect(EQUAL.map(([a, b]) => compareVersions(a, b))).toEqual(EQUAL.map(() => 0))
  })

  it('agrees with dpkg --compare-versions', () => {
    const pairs = [...RISING.slice(1).map((version, index) => [RISING[index] ?? '', version] as const), ...EQUAL]
    for (const [a, b] of pairs) {
      const order = compareVersions(a, b) < 0 ? 'lt' : 'eq'
      expect([a, order, b, spawnSync('dpkg', ['--compare-versions', a, order, b]).status]).toEqual([a, order, b, 0])
    }
  })

  it('compares long numbers by value', () => {
    expect(compareVersions('1.99999999999999999998', '1.99999999999999999999')).toBeLessThan(0)
  })
})

describe('satisfies', () => {
  it('compares versions with each operator', () => {
    const around = ['1.0', '2.0', '3.0']
    const holding = (operator: '<<' | '<=' | '=' | '>=' | '>>') =>
      around.filter((version) => satisfies(version, operator, '2.0'))
    expect(holding('<<')).toEqual(['1.0'])
    expect(holding('<=')).toEqual(['1.0', '2.0'])
    expect(holding('=')).toEqual(['2.0'])
    expect(holding('>=')).toEqual(['2.0', '3.0'])
    expect(holding('>>')).toEqual(['3.0'])
  })
})
