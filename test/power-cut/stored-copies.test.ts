import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { MIB } from '../../images/layout.ts'
import { identityCopy, record } from './fake-update.ts'
import { readIdentity, readRecord, recordLines } from './stored-copies.ts'

/** An identity partition with these bytes at these offsets. */
function partition(...parts: readonly (readonly [at: number, bytes: Uint8Array])[]) {
  const bytes = Buffer.alloc(32 * MIB)
  for (const [at, part] of parts) bytes.set(part, at)
  return blockSourceOf(bytes)
}

function damaged(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
}

const KINDS = [
  { what: 'identity', read: readIdentity, places: [0, 16 * MIB], copy: identityCopy, size: 2048 },
  { what: 'record', read: readRecord, places: [8 * MIB, 24 * MIB], copy: record, size: 4096 },
] as const

describe.each(KINDS)('the $what', ({ read, places: [first, second], copy, size }) => {
  it('returns the newer of two undamaged copies', () => {
    expect(read(partition([first, copy(4)], [second, copy(5)]))).toEqual({ state: 'whole', sequence: 5 })
    expect(read(partition([first, copy(10)], [second, copy(9)]))).toEqual({ state: 'whole', sequence: 10 })
  })

  it('returns the older copy if the newer one is damaged', () => {
    const newer = damaged(copy(5), 700)
    expect(read(partition([first, copy(4)], [second, newer]))).toEqual({ state: 'whole', sequence: 4 })
  })

  it('returns blank if no copy was ever written', () => {
    expect(read(partition())).toEqual({ state: 'blank' })
  })

  it('returns unfinished after a power cut in the first write', () => {
    expect(read(partition([first, copy(1).subarray(0, size / 2)]))).toEqual({ state: 'unfinished' })
  })

  it('returns lost if both copies are damaged', () => {
    const bad = damaged(copy(5), 700)
    expect(read(partition([first, bad], [second, bad]))).toEqual({ state: 'lost' })
  })
})

describe('a copy of the record', () => {
  it('a copy of the record is damaged if other bytes follow its text', () => {
    const bytes = new Uint8Array(record(3))
    bytes[4095] = 1
    expect(readRecord(partition([8 * MIB, bytes], [24 * MIB, bytes]))).toEqual({ state: 'lost' })
  })
})

describe('recordLines', () => {
  it('returns the lines of the newest undamaged copy of the record', () => {
    const lines = recordLines(partition([8 * MIB, record(10)], [24 * MIB, record(9)]))
    expect([lines.get('sequence'), lines.get('committed')]).toEqual(['10', 'b'])
    const older = recordLines(partition([8 * MIB, damaged(record(10), 700)], [24 * MIB, record(9)]))
    expect(older.get('sequence')).toBe('9')
    expect(recordLines(partition()).size).toBe(0)
  })
})
