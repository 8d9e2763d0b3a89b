import { describe, expect, it } from 'vitest'
import { nearest } from '../../images/nearest.ts'

const HOSTS = ['adama', 'starbuck', 'apollo', 'gaeta']

describe('the nearest known word', () => {
  it.each([
    ['a letter left out', 'adma', 'adama'],
    ['a letter too many', 'addama', 'adama'],
    ['a wrong letter', 'adana', 'adama'],
    ['two letters swapped', 'adaam', 'adama'],
    ['the word itself', 'gaeta', 'gaeta'],
    ['two slips in a long word', 'starbukc', 'starbuck'],
    ['three slips in no long word', 'xyzma', undefined],
    ['something else', 'kitchen', undefined],
    ['nothing', '', undefined],
  ])('is found for %s', (_what, word, expected) => {
    expect(nearest(word, HOSTS)).toBe(expected)
  })

  it('is the nearest one, not the first one that is near', () => {
    expect(nearest('slot-b', ['slots-a', 'slot-a', 'slot-bb'])).toBe('slot-a')
    expect(nearest('memory', ['memories', 'memori', 'memoryy'])).toBe('memori')
  })

  it('is none where nothing is known', () => {
    expect(nearest('adama', [])).toBeUndefined()
  })

  it('allows one slip even in the shortest word', () => {
    expect(nearest('vn', ['vm'])).toBe('vm')
    expect(nearest('xy', ['vm'])).toBeUndefined()
  })
})
