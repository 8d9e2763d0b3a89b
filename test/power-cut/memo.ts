import { hash } from 'node:crypto'
import type { BlockSource } from '../../images/disk/block-source.ts'
import type { DiskState } from './disk-state.ts'

interface Range {
  readonly offset: number
  length: number
}

interface Known<T> {
  readonly ranges: readonly Range[]
  readonly results: Map<string, T>
}

const MOST_RANGES = 64
const MOST_RESULTS = 4096
/** Reads that lie this close are held to be one: it costs a few needless computations and saves many comparisons. */
const NEAR = 4096

/**
 * Computes something from a disk once for all states that agree in what the computation reads: it can but read the same
 * again, and come to the same.
 */
export class Memo<T> {
  computed = 0
  private known: Known<T>[] = []

  get(disk: DiskState, compute: (disk: BlockSource) => T): T {
    for (const { ranges, results } of this.known) {
      const key = originOf(disk, ranges)
      if (results.has(key)) return results.get(key) as T
    }
    const reads: Range[] = []
    const result = compute({ size: disk.size, read: (offset, length) => readNoted(disk, offset, length, reads) })
    this.computed += 1
    this.remember(disk, merged(reads), result)
    return result
  }

  private remember(disk: DiskState, ranges: readonly Range[], result: T): void {
    const same = this.known.find((each) => sameRanges(each.ranges, ranges))
    const known = same ?? { ranges, results: new Map<string, T>() }
    if (known.results.size >= MOST_RESULTS) known.results.clear()
    known.results.set(originOf(disk, ranges), result)
    // The latest first: it is asked for again soonest.
    this.known = [known, ...this.known.filter((each) => each !== known)].slice(0, MOST_RANGES)
  }
}

/** A range's origin, shortened. */
export function shortOrigin(disk: DiskState, offset: number, length: number): string {
  const origin = disk.origin(offset, length)
  return origin.length < 128 ? origin : hash('sha256', origin)
}

function originOf(disk: DiskState, ranges: readonly Range[]): string {
  return ranges.map(({ offset, length }) => shortOrigin(disk, offset, length)).join(';')
}

function readNoted(disk: BlockSource, offset: number, length: number, reads: Range[]): Uint8Array {
  const last = reads.at(-1)
  const follows = last !== undefined && offset >= last.offset && offset <= last.offset + last.length + NEAR
  if (follows) last.length = Math.max(last.length, offset + length - last.offset)
  else reads.push({ offset, length })
  return disk.read(offset, length)
}

function merged(reads: readonly Range[]): Range[] {
  const found: Range[] = []
  for (const { offset, length } of [...reads].sort((one, other) => one.offset - other.offset)) {
    const last = found.at(-1)
    if (last !== undefined && offset <= last.offset + last.length + NEAR)
      last.length = Math.max(last.length, offset + length - last.offset)
    else found.push({ offset, length })
  }
  return found
}

function sameRanges(one: readonly Range[], other: readonly Range[]): boolean {
  const differs = (range: Range, index: number) =>
    range.offset !== other[index]?.offset || range.length !== other[index]?.length
  return one.length === other.length && !one.some(differs)
}
