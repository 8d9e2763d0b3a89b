import { describe, expect, it } from 'vitest'
import { isInRange } from '../../../images/npm/range.ts'
import { comparePackageVersions } from '../../../images/npm/version.ts'
import { randomFrom } from '../../power-cut/random.ts'

describe('comparePackageVersions', () => {
  it('orders versions as semantic versioning 2.0.0 does', () => {
    const ordered = [
      ...['0.9.10', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2'],
      ...['1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0'],
    ]
    expect([...ordered].reverse().sort(comparePackageVersions)).toEqual(ordered)
    expect(comparePackageVersions('1.0.0+one', '1.0.0+two')).toBe(0)
  })
})

describe('isInRange', () => {
  it.each([
    ['^22.2.0 || ^24 || <=26.2', true],
    ['>=22.9', false],
    ['>= 18.5', true],
    ['^18.17.0 || >=20.5.0', true],
    ['18 - 20', true],
    ['18 - 19', false],
    ['20', true],
    ['20.x', true],
    ['20.19.1', false],
    ['=20.19.2', true],
    ['v20.19.2', true],
    ['~20.19', true],
    ['~20.18', false],
    ['~>20.19', true],
    ['>20', false],
    ['>20.18', true],
    ['<20', false],
    ['<=20', true],
    ['<21 >=18', true],
    ['>=20.19.2-rc.1', true],
    ['*', true],
    ['', true],
    ['x', true],
  ])("20.19.2 and '%s': %s", (range, expected) => {
    expect(isInRange('20.19.2', range)).toBe(expected)
  })

  it('a caret allows changes to the right of the first digit that is not zero', () => {
    expect([isInRange('0.2.4', '^0.2.3'), isInRange('0.3.0', '^0.2.3')]).toEqual([true, false])
    expect([isInRange('0.0.3', '^0.0.3'), isInRange('0.0.4', '^0.0.3')]).toEqual([true, false])
    expect([isInRange('0.5.0', '^0.x'), isInRange('0.0.9', '^0.0')]).toEqual([true, true])
  })

  it('returns undefined for a text that is not a range', () => {
    for (const text of ['latest', 'node >= 10', '>=', '1.2.3.4', '>>1', 'https://example.org']) {
      expect(isInRange('20.19.2', text), text).toBeUndefined()
    }
  })

  it('agrees with the order of versions, for any version', () => {
    const random = randomFrom(1, 1)
    const version = () => [0, 1, 2].map(() => Math.floor(random() * 4)).join('.')
    for (let round = 0; round < 2000; round += 1) {
      const [one, other] = [version(), version()]
      const order = comparePackageVersions(one, other)
      expect(isInRange(one, `>=${other}`), `${one} ${other}`).toBe(order >= 0)
      expect(isInRange(one, `<${other}`), `${one} ${other}`).toBe(order < 0)
      expect(isInRange(one, `<=${other}`)).toBe(order <= 0)
      expect(isInRange(one, other)).toBe(order === 0)
      expect(isInRange(one, `>${other} || <=${other}`)).toBe(true)
      expect(isInRange(one, `^${other}`) && order < 0).toBe(false)
    }
  })
})
