import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../../images/disk/block-source.ts'
import { readGpt } from '../../../images/disk/gpt-read.ts'
import { gptPieces } from '../../../images/disk/gpt-write.ts'
import { diskLayout, GIB, MIB } from '../../../images/layout.ts'
import { bootDisk } from '../../helpers/boot-disk.ts'

const disk = bootDisk([
  { label: 'selector', files: {} },
  { label: 'boot-a', files: {}, size: 16 * MIB },
  { label: 'data', files: undefined },
])
const PARTITIONS = [
  { number: 1, name: 'selector', offset: MIB, size: 8 * MIB },
  { number: 2, name: 'boot-a', offset: 9 * MIB, size: 16 * MIB },
  { number: 3, name: 'data', offset: 25 * MIB, size: 8 * MIB },
]

/** A copy with one flipped bit at each of these offsets. */
function damagedAt(...places: number[]): Buffer {
  const bytes = Buffer.from(disk)
  for (const at of places) bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

// Offsets of a byte in the header (covered by its checksum) and of a byte in the table.
const PRIMARY = { header: 512 + 56, table: 2 * 512 + 56 }
const BACKUP = { header: disk.length - 512 + 56, table: disk.length - 33 * 512 + 56 }

const read = (bytes: Uint8Array) => readGpt(blockSourceOf(bytes))

describe('readGpt', () => {
  it('returns number, name, offset and size of each partition', () => {
    expect(read(disk)).toEqual(PARTITIONS)
  })

  it('reads the table that gptPieces writes', () => {
    const layout = diskLayout(8 * GIB)
    const pieces = gptPieces(layout, 'adama')
    const sparse = {
      size: layout.size,
      read(offset: number, length: number) {
        const piece = pieces.find((each) => offset >= each.offset && offset < each.offset + each.bytes.length)
        return piece?.bytes.slice(offset - piece.offset, offset - piece.offset + length) ?? new Uint8Array(length)
      },
    }
    expect(readGpt(sparse)).toEqual(layout.partitions)
  })

  it.each([
    ['header', PRIMARY.header],
    ['table', PRIMARY.table],
  ])('reads the backup GPT if the primary %s is damaged', (_what, at) => {
    expect(read(damagedAt(at))).toEqual(PARTITIONS)
  })

  it.each([
    ['both headers', PRIMARY.header, BACKUP.header],
    ['both tables', PRIMARY.table, BACKUP.table],
    ['one header and the other’s table', PRIMARY.header, BACKUP.table],
  ])('refuses a disk with damage in %s', (_what, ...places) => {
    expect(() => read(damagedAt(...places))).toThrow(
      expect.objectContaining({
        code: 'format',
        message: 'the disk has no usable GPT: both headers are damaged or missing',
        hint: 'write the disk again',
      }),
    )
  })

  it('refuses an empty disk', () => {
    expect(() => read(new Uint8Array(MIB))).toThrow('the disk has no usable GPT')
  })
})
