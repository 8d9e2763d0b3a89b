import { describe, expect, it } from 'vitest'
import { LONGEST_RETRY_AFTER, LONGEST_WAIT, TIMING, waitAfter } from '../../lib/backoff.ts'

describe('waitAfter', () => {
  const at = (random: number) => ({ ...TIMING, random: () => random })

  it('doubles with each failure, up to a limit', () => {
    const waits = [1, 2, 3, 4, 20].map((failures) => waitAfter(failures, 500, at(1)))
    expect(waits).toEqual([500, 1000, 2000, 4000, LONGEST_WAIT])
  })

  it('differs by up to a half between clients', () => {
    expect([0, 0.5, 1].map((random) => waitAfter(2, 500, at(random)))).toEqual([500, 750, 1000])
  })

  it('is at least the time that the server asked for, up to a limit', () => {
    expect(waitAfter(1, 500, at(1), 15_000)).toBe(15_000)
    expect(waitAfter(1, 500, at(1), 3_600_000)).toBe(LONGEST_RETRY_AFTER)
    expect(waitAfter(1, 500, at(1), 0)).toBe(500)
  })
})
