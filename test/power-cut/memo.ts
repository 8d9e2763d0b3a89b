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

const MAX_RANGE_LISTS = 64
const MAX_RESULTS = 4096
/** Reads closer than this distance count as one read: a few unnecessary computations save many comparisons. */
const NEAR = 4096

/**
 * Caches a computation on a disk. Two states of the disk share one result if all ranges that the computation reads have the
 * same bytes.
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
    const result = compute({ size: disk.size, read: (offset, length) => readAndRecord(disk, offset, length, reads) })
    this.computed += 1
    this.store(disk, merged(reads), result)
    return result
  }

  private store(disk: DiskState, ranges: readonly Range[], result: T): void {
    const same = this.known.find((each) => sameRanges(each.ranges, ranges))
    const known = same ?? { ranges, results: new Map<string, T>() }
    if (known.results.size >= MAX_RESULTS) known.results.clear()
    known.results.set(originOf(disk, ranges), result)
    // The latest result comes first, because it is the most likely match.
    this.known = [known, ...this.known.filter((each) => each !== known)].slice(0, MAX_RANGE_LISTS)
  }
}

/** The origin of a range, or its hash if it is long. */
export function shortOrigin(disk: DiskState, offset: number, length: number): string {
  const origin = disk.origin(offset, length)
  return origin.length < 128 ? origin : hash('sha256', origin)
}

function originOf(disk: DiskState, ranges: readonly Range[]): string {
  return ranges.map(({ offset, length }) => shortOrigin(disk, offset, length)).join(';')
}

function readAndRecord(disk: BlockSource, offset: number, length: number, reads: Range[]): Uint8Array {
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
