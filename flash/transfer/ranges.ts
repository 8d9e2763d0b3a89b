import { UserError } from '../../errors.ts'
import { BLOCK } from '../../images/layout.ts'
import { plainText } from '../ssh/remote.ts'

/** A range of consecutive blocks of 4096 bytes. */
export interface Range {
  readonly first: number
  readonly count: number
}

/**
 * Parses lines `FIRST COUNT`, in order and without overlap, and a final line `end`. A list without `end` was truncated.
 */
export function parseRanges(host: string, text: string): Range[] {
  const lines = text.split('\n')
  if (lines.at(-1) !== '' || lines.at(-2) !== 'end') throw unreadableList(host, lines.at(-2) ?? '')
  let next = 0
  return lines.slice(0, -2).map((line) => {
    const [, first, count] = /^(\d{1,10}) (\d{1,10})$/.exec(line) ?? []
    const range = { first: Number(first), count: Number(count) }
    if (first === undefined || range.first < next || range.count < 1) throw unreadableList(host, line)
    next = range.first + range.count
    return range
  })
}

/** The ranges, without the blocks before block `first`. */
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

function unreadableList(host: string, line: string): UserError {
  return new UserError(
    'agent',
    `'${host}' lists missing blocks as '${plainText(line.slice(0, 60))}', wanted lines of 'FIRST COUNT', then 'end'`,
    {
      hint: 'use the hangar that built the image of the host, or the newest (git pull)',
    },
  )
}
