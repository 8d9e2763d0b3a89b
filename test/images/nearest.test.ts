import { describe, expect, it } from 'vitest'
import { nearest } from '../../images/nearest.ts'

const HOSTS = ['adama', 'starbuck', 'apollo', 'gaeta']

describe('nearest', () => {
  it.each([
    ['a missing letter', 'adma', 'adama'],
    ['an extra letter', 'addama', 'adama'],
    ['a wrong letter', 'adana', 'adama'],
    ['two swapped letters', 'adaam', 'adama'],
    ['the word itself', 'gaeta', 'gaeta'],
    ['two mistakes in a long word', 'starbukc', 'starbuck'],
    ['three mistakes in a short word', 'xyzma', undefined],
    ['another word', 'workshop', undefined],
    ['an empty word', '', undefined],
  ])('returns the similar word, or undefined, for %s', (_what, word, expected) => {
    expect(nearest(word, HOSTS)).toBe(expected)
  })

  it('returns the most similar word, not the first similar one', () => {
    expect(nearest('slot-b', ['slots-a', 'slot-a', 'slot-bb'])).toBe('slot-a')
    expect(nearest('memory', ['memories', 'memori', 'memoryy'])).toBe('memori')
  })

  it('returns undefined for an empty list of words', () => {
    expect(nearest('adama', [])).toBeUndefined()
  })

  it('allows one mistake even in the shortest words', () => {
    expect(nearest('vn', ['vm'])).toBe('vm')
    expect(nearest('xy', ['vm'])).toBeUndefined()
  })
})
