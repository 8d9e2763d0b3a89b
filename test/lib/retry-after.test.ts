import { describe, expect, it } from 'vitest'
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
