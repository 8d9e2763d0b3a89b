import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { diskState, slice } from './disk-state.ts'
import { IntervalMap, ZEROS } from './interval-map.ts'
import { randomFrom } from './random.ts'

const DATA = Buffer.from('abcdefghijklmnopqrstuvwxyz')
const log = { entries: [], read: (at: number, out: Uint8Array) => void out.set(DATA.subarray(at, at + out.length)) }

/** Prints a disk: `-` for its bytes before the log. Each layer is a list of start, end and source. */
function text(...layers: readonly (readonly [number, number, number])[][]): string {
  const maps = layers.map((segments) => {
    const map = new IntervalMap()
    for (const segment of segments) map.set(...segment)
    return map
  })
  const state = diskState(blockSourceOf(Buffer.alloc(12, '-')), log, maps)
  return Buffer.from(state.read(0, 12)).toString().replaceAll('\0', '0')
}

describe('a disk with parts of a log applied', () => {
  it('a disk has the bytes of the last write', () => {
    expect(
      text([
        [2, 8, 0],
        [4, 6, 10],
      ]),
    ).toBe('--abklef----')
    expect(
      text([
        [4, 6, 10],
        [2, 8, 0],
      ]),
    ).toBe('--abcdef----')
    expect(
      text([
        [0, 4, 0],
        [6, 12, 10],
        [2, 8, 20],
      ]),
    ).toBe('abuvwxyzmnop'.replace('yz', 'yz').slice(0, 12))
  })

  it('a disk has zeros in discarded ranges', () => {
    expect(
      text([
        [2, 8, 0],
        [3, 7, ZEROS],
      ]),
    ).toBe('--a0000f----')
  })

  it('a disk has the bytes of the first layer', () => {
    expect(text([[3, 5, 20]], [[2, 8, 0]], [[0, 12, 10]])).toBe('klauvdefstuv'.replace('au', 'au'))
  })

  it('a disk equals another disk whose bytes were set one by one', () => {
    const random = randomFrom(1, 1)
    for (let turn = 0; turn < 300; turn++) {
      const plain = Array<string>(12).fill('-')
      const segments = Array.from({ length: 8 }, (): [number, number, number] => {
        const start = Math.floor(random() * 12)
        const end = start + Math.floor(random() * (13 - start))
        const source = random() < 0.2 ? ZEROS : Math.floor(random() * 14)
        for (let at = start; at < end; at++)
          plain[at] = source === ZEROS ? '0' : String.fromCharCode(DATA[source + at - start] ?? 0)
        return [start, end, source]
      })
      expect(text(segments)).toBe(plain.join(''))
    }
  })
})

describe("a range's origin", () => {
  const origin = (segments: readonly [number, number, number][], offset: number, length: number) => {
    const map = new IntervalMap()
    for (const segment of segments) map.set(...segment)
    return diskState(blockSourceOf(DATA), log, [map]).origin(offset, length)
  }

  it('the origin is the same for the same bytes in another order of writes', () => {
    expect(
      origin(
        [
          [0, 8, 0],
          [2, 4, 20],
        ],
        0,
        4,
      ),
    ).toBe(
      origin(
        [
          [2, 4, 20],
          [0, 2, 0],
        ],
        0,
        4,
      ),
    )
  })

  it('the origin differs if the source of any byte differs', () => {
    const before = origin([[0, 8, 0]], 2, 4)
    expect(
      origin(
        [
          [0, 8, 0],
          [5, 6, 1],
        ],
        2,
        4,
      ),
    ).not.toBe(before)
    expect(
      origin(
        [
          [0, 8, 0],
          [5, 6, ZEROS],
        ],
        2,
        4,
      ),
    ).not.toBe(before)
    expect(
      origin(
        [
          [0, 8, 0],
          [6, 7, 1],
        ],
        2,
        4,
      ),
    ).toBe(before)
  })

  it('the origin of a slice equals that of the same range of the disk', () => {
    const map = new IntervalMap()
    map.set(4, 8, 0)
    const disk = diskState(blockSourceOf(DATA), log, [map])
    expect(slice(disk, 4, 8).origin(0, 4)).toBe(disk.origin(4, 4))
    expect(Buffer.from(slice(disk, 4, 8).read(0, 5)).toString()).toBe('abcdi')
  })
})
