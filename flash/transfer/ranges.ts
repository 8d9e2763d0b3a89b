import { UserError } from '../../errors.ts'
import { BLOCK } from '../../images/layout.ts'
import { plainText } from '../ssh/plain-text.ts'

/** Blocks of 4096 bytes, one after the other. */
export interface Range {
  readonly first: number
  readonly count: number
}

/** Lines `FIRST COUNT`, in order and apart, then `end`: without it the list was cut short. */
export function parseRanges(host: string, text: string): Range[] {
  const lines = text.split('\n')
  if (lines.at(-1) !== '' || lines.at(-2) !== 'end') throw strangeList(host, lines.at(-2) ?? '')
  let next = 0
  return lines.slice(0, -2).map((line) => {
    const [, first, count] = /^(\d{1,10}) (\d{1,10})$/.exec(line) ?? []
    const range = { first: Number(first), count: Number(count) }
    if (first === undefined || range.first < next || range.count < 1) throw strangeList(host, line)
    next = range.first + range.count
    return range
  })
}

/** The ranges without the blocks before `first`. */
export function rangesFrom(ranges: readonly Range[], first: number): Range[] {
  return ranges
    .map((range) => ({ first: Math.max(first, range.first), end: range.first + range.count }))
    .filter((range) => range.end > range.first)
    .map((range) => ({ first: range.first, count: range.end - range.first }))
}

export function blocksIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0)
}

export function bytesIn(ranges: readonly Range[]): number {
  return blocksIn(ranges) * BLOCK
}

export function endOf(ranges: readonly Range[]): number {
  const last = ranges.at(-1)
  return last === undefined ? 0 : last.first + last.count
}

function strangeList(host: string, line: string): UserError {
  return new UserError(
    'agent',
    `'${host}' lists missing blocks as '${plainText(line.slice(0, 60))}', wanted 'FIRST COUNT' … 'end'`,
    {
      hint: 'use the hangar that its image was built with, or the newest',
    },
  )
}
