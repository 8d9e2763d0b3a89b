import { describe, expect, it } from 'vitest'
import { choose, parseRetention, type Retention } from '../../../builder/generations/retention.ts'
import { digestOf } from '../../../images/digest.ts'
import { parts } from '../../helpers/kept-generation.ts'

const DAY = 24 * 3_600_000
const NOW = new Date('2026-11-25T00:00:00Z')

/** Generations 1, 2, … that were built so many days ago; `null` for one of which only the name is left. */
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

describe('generations that go', () => {
  it.each<[string, (number | null)[], Retention, number[], number[]]>([
    ['all but so many of the newest', [4, 3, 2, 1], { keep: 2, olderThan: 0 }, [], [1, 2]],
    ['none where there are not more', [4, 3], { keep: 2, olderThan: 0 }, [], []],
    ['only those that are older than so long', [40, 31, 29, 1], { keep: 1, olderThan: 30 * DAY }, [], [1, 2]],
    ['no old one that is among the newest', [90, 80, 70], { keep: 2, olderThan: 30 * DAY }, [], [1]],
    ['no pinned one, which takes no place of another', [4, 3, 2, 1], { keep: 1, olderThan: 0 }, [1], [2, 3]],
    ['never the newest', [90], { keep: 0, olderThan: 0 }, [], []],
    ['none of which only the name is left', [null, 3, null, 1], { keep: 1, olderThan: 0 }, [], [2]],
  ])('are %s', (_, ages, retention, pinned, expected) => {
    expect(gone(ages, retention, pinned)).toEqual(expected)
  })

  it('and those that stay are all that are kept', () => {
    const { stay, go } = choose(built(4, null, 2, 1), new Set([1]), { keep: 1, olderThan: 0 }, NOW)
    expect([...stay, ...go].map(({ number }) => number).sort()).toEqual([1, 3, 4])
  })
})

describe('what is typed', () => {
  it.each([
    [{}, { keep: 5, olderThan: 0 }],
    [{ keep: '1' }, { keep: 1, olderThan: 0 }],
    [{ olderThan: '12h' }, { keep: 5, olderThan: DAY / 2 }],
    [
      { keep: '3', olderThan: '30d' },
      { keep: 3, olderThan: 30 * DAY },
    ],
    [{ olderThan: '8w' }, { keep: 5, olderThan: 56 * DAY }],
  ])('%j means %j', (flags, retention) => {
    expect(parseRetention(flags)).toEqual(retention)
  })

  it.each([
    [{ keep: '0' }, "cannot keep '0' generations: wanted a number from 1"],
    [{ keep: 'all' }, "cannot keep 'all' generations: wanted a number from 1"],
    [{ olderThan: '30' }, "not an age: '30'"],
    [{ olderThan: '1m' }, "not an age: '1m'"],
  ])('%j is refused', (flags, message) => {
    expect(() => parseRetention(flags)).toThrow(message)
  })
})
