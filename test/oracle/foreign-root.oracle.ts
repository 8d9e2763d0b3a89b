import { beforeAll, describe, expect, it } from 'vitest'
import { isLeftBehind } from '../../images/steps/parts/carry.ts'
import { type Comparison, compareRoots, parseListing } from './compare.ts'
import { LEFT_BEHIND, OF_MMDEBSTRAP } from './exceptions.ts'
import { buildBothRoots } from './roots.ts'

describe('the root that is made without emulation', () => {
  let size = 0
  let comparison: Comparison

  beforeAll(async () => {
    const { emulated, unpruned } = await buildBothRoots()
    const expected = parseListing(emulated)
    size = expected.length
    comparison = compareRoots(expected, parseListing(unpruned), [...LEFT_BEHIND, ...OF_MMDEBSTRAP])
  })

  it('is the root that mmdebstrap makes under emulation, but for the named exceptions', () => {
    expect(comparison.unexplained).toEqual([])
    // Two empty listings would be equal too.
    expect(size).toBeGreaterThan(5000)
  })

  it('needs every named exception', () => {
    expect(comparison.unused.map(({ pattern, reason }) => `${pattern}: ${reason}`)).toEqual([])
  })

  it('leaves behind what it lacks, unless only mmdebstrap makes it', () => {
    const missing = comparison.excused.filter(({ difference }) => difference.aspects.includes('missing'))
    const wrong = missing.filter(
      ({ difference, exception }) => isLeftBehind(difference.path) === OF_MMDEBSTRAP.includes(exception),
    )
    expect(wrong.map(({ difference }) => difference.path)).toEqual([])
  })
})
