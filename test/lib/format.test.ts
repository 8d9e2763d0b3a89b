import { describe, expect, it } from 'vitest'
import { formatTable } from '../../cli/display/table.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [999_600, '1.0 MB'],
    [5_300_000, '5.3 MB'],
    [82_000_000_000, '82 GB'],
    [2_000_000_000_000, '2.0 TB'],
  ])('prints %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0.0 s'],
    [340, '0.3 s'],
    [12_000, '12 s'],
    [125_000, '2 min 5 s'],
    [3_780_000, '1 h 3 min'],
    [47 * 3_600_000, '47 h 0 min'],
    [12 * 86_400_000, '12 days'],
  ])('prints %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})

describe('formatTable', () => {
  it('aligns numbers right and words left, without spaces at the ends of lines', () => {
    const rows = [
      ['layer', 'size', '', 'time'],
      ['base', '120 MB', 'built', '12 s'],
      ['host', '9 kB', 'reused', ''],
    ]
    expect(formatTable(rows).split('\n')).toEqual([
      'layer  size            time',
      'base   120 MB  built   12 s',
      'host     9 kB  reused',
    ])
  })

  it('returns an empty text for no rows', () => {
    expect(formatTable([])).toBe('')
  })
})
