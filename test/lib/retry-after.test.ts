import { describe, expect, it } from 'vitest'
import { LONGEST_RETRY_AFTER, LONGEST_WAIT, TIMING, waitAfter } from '../../lib/backoff.ts'
import { parseRetryAfter } from '../../lib/retry-after.ts'

const NOW = new Date('2026-06-01T12:00:00Z')

describe('parseRetryAfter', () => {
  it.each([
    ['a number of seconds', '15', 15_000],
    ['no wait', '0', 0],
    ['spaces around the number', ' 7 ', 7000],
    ['a date', 'Mon, 01 Jun 2026 12:00:30 GMT', 30_000],
    ['an old form of dates', 'Monday, 01-Jun-26 12:00:05 GMT', 5000],
    ['a date in the past', 'Mon, 01 Jun 2026 11:00:00 GMT', 0],
    ['no header', undefined, undefined],
    ['an empty header', '', undefined],
    ['a negative number', '-1', undefined],
    ['a fraction', '1.5', undefined],
    ['a unit', '10 s', undefined],
    ['a word', 'soon', undefined],
    ['a date that does not exist', 'Mon, 99 Jun 2026 12:00:00 GMT', undefined],
  ])('reads %s', (_, header, wait) => {
    expect(parseRetryAfter(header, NOW)).toBe(wait)
  })
})

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
