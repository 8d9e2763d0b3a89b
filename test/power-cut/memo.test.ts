import { describe, expect, it } from 'vitest'
import { type BlockSource, blockSourceOf } from '../../images/disk/block-source.ts'
import { diskState } from './disk-state.ts'
import { IntervalMap } from './interval-map.ts'
import { Memo } from './memo.ts'

const SIZE = 64 * 1024
const log = { entries: [], read: (at: number, out: Uint8Array) => void out.fill(at) }

/** A disk of zeros with some written bytes. */
function disk(...writes: readonly (readonly [at: number, byte: number])[]) {
  const map = new IntervalMap()
  for (const [at, byte] of writes) map.set(at, at + 1, byte)
  return diskState(blockSourceOf(new Uint8Array(SIZE)), log, [map])
}

/** A computation that follows a pointer, so that later reads depend on earlier ones. */
function follow(source: BlockSource): number {
  const at = (source.read(0, 1)[0] ?? 0) * 256
  return source.read(at, 1)[0] ?? 0
}

describe('a memo', () => {
  it('computes once for disks that are equal in the read ranges', () => {
    const memo = new Memo<number>()
    const far: [number, number] = [60_000, 5]
    expect(memo.get(disk([0, 40], [10_240, 7]), follow)).toBe(7)
    expect(memo.get(disk([0, 40], [10_240, 7], far), follow)).toBe(7)
    expect(memo.computed).toBe(1)
  })

  it('computes again if any read byte differs', () => {
    const memo = new Memo<number>()
    memo.get(disk([0, 40], [10_240, 7]), follow)
    expect(memo.get(disk([0, 40], [10_240, 9]), follow)).toBe(9)
    expect(memo.get(disk([0, 80], [10_240, 7], [20_480, 3]), follow)).toBe(3)
    expect(memo.computed).toBe(3)
  })

  it('returns the results of earlier disks without computing them again', () => {
    const memo = new Memo<number>()
    const disks = [disk([0, 40], [10_240, 7]), disk([0, 80], [20_480, 3]), disk([0, 40], [10_240, 8])]
    const first = disks.map((each) => memo.get(each, follow))
    expect([...disks].reverse().map((each) => memo.get(each, follow))).toEqual([...first].reverse())
    expect(memo.computed).toBe(3)
  })
})
