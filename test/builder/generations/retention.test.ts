import { describe, expect, it } from 'vitest'
import { choose, parseRetention, type Retention } from '../../../builder/generations/retention.ts'
import { digestOf } from '../../../images/digest.ts'
import { parts } from '../../helpers/kept-generation.ts'

const DAY = 24 * 3_600_000
const NOW = new Date('2026-11-25T00:00:00Z')

/** Generations 1, 2, … with these ages in days; `null` is a generation without parts. */
const built = (...ages: (number | null)[]) =>
  ages.map((age, at) => ({
    number: at + 1,
    root: digestOf(`${at}`),
    built: new Date(NOW.getTime() - (age ?? 0) * DAY).toISOString(),
    revision: null,
    parts: age === null ? undefined : parts(`${at}`),
  }))

const gone = (ages: (number | null)[], retention: Retention, pinned: number[] = []) =>
  choose(built(...ages), new Set(pinned), retention, NOW)
    .go.map(({ number }) => number)
    .sort()

describe('choose', () => {
  it.each<[string, (number | null)[], Retention, number[], number[]]>([
    ['all but the newest generations', [4, 3, 2, 1], { keep: 2, olderThan: 0 }, [], [1, 2]],
    ['none when there are no more than --keep', [4, 3], { keep: 2, olderThan: 0 }, [], []],
    ['only generations older than --older-than', [40, 31, 29, 1], { keep: 1, olderThan: 30 * DAY }, [], [1, 2]],
    ['no old generation among the newest', [90, 80, 70], { keep: 2, olderThan: 30 * DAY }, [], [1]],
    ['no pinned generation, which does not count against --keep', [4, 3, 2, 1], { keep: 1, olderThan: 0 }, [1], [2, 3]],
    ['never the newest generation', [90], { keep: 0, olderThan: 0 }, [], []],
    ['no generation without parts', [null, 3, null, 1], { keep: 1, olderThan: 0 }, [], [2]],
  ])('selects for deletion: %s', (_, ages, retention, pinned, expected) => {
    expect(gone(ages, retention, pinned)).toEqual(expected)
  })

  it('returns every kept generation once: either staying or going', () => {
    const { stay, go } = choose(built(4, null, 2, 1), new Set([1]), { keep: 1, olderThan: 0 }, NOW)
    expect([...stay, ...go].map(({ number }) => number).sort()).toEqual([1, 3, 4])
  })
})

describe('parseRetention', () => {
  it.each([
    [{}, { keep: 5, olderThan: 0 }],
    [{ keep: '1' }, { keep: 1, olderThan: 0 }],
    [{ olderThan: '12h' }, { keep: 5, olderThan: DAY / 2 }],
    [
      { keep: '3', olderThan: '30d' },
      { keep: 3, olderThan: 30 * DAY },
    ],
    [{ olderThan: '8w' }, { keep: 5, olderThan: 56 * DAY }],
  ])('reads the retention %j as %j', (flags, retention) => {
    expect(parseRetention(flags)).toEqual(retention)
  })

  it.each([
    [{ keep: '0' }, "invalid value '0' for --keep: wanted a number from 1"],
    [{ keep: 'all' }, "invalid value 'all' for --keep: wanted a number from 1"],
    [{ olderThan: '30' }, "invalid value '30' for --older-than"],
    [{ olderThan: '1m' }, "invalid value '1m' for --older-than"],
  ])('refuses the retention %j', (flags, message) => {
    expect(() => parseRetention(flags)).toThrow(message)
  })
})
