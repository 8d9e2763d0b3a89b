import { UserError } from '../../errors.ts'
import { SECTOR } from '../layout.ts'
import type { BlockSource } from './block-source.ts'
import { crc32 } from './crc32.ts'

export const GPT_SIGNATURE = 'EFI PART'
export const GPT_ENTRIES = 128
export const GPT_ENTRY_SIZE = 128

export interface GptPartition {
  /** The number of the partition in the table, from 1. */
  readonly number: number
  readonly name: string
  /** The offset from the start of the disk, in bytes. */
  readonly offset: number
  readonly size: number
}

/** The partitions of a disk. Reads the backup table if the primary one is damaged. */
export function readGpt(disk: BlockSource): GptPartition[] {
  const found = readTable(disk, 1) ?? readTable(disk, Math.floor(disk.size / SECTOR) - 1)
  if (found !== undefined) return found
  throw new UserError('format', 'the disk has no usable GPT: both headers are damaged or missing', {
    hint: 'write the disk again',
  })
}

function readTable(disk: BlockSource, sector: number): GptPartition[] | undefined {
  const header = Buffer.from(disk.read(sector * SECTOR, SECTOR))
  if (header.toString('latin1', 0, 8) !== GPT_SIGNATURE) return undefined
  const size = header.readUInt32LE(12)
  const [count, entrySize] = [header.readUInt32LE(80), header.readUInt32LE(84)]
  if (size < 92 || size > SECTOR || count > 1024 || entrySize !== GPT_ENTRY_SIZE) return undefined
  const expected = header.readUInt32LE(16)
  header.writeUInt32LE(0, 16)
  if (crc32(header.subarray(0, size)) !== expected) return undefined
  const table = Buffer.from(disk.read(Number(header.readBigUInt64LE(72)) * SECTOR, count * entrySize))
  if (crc32(table) !== header.readUInt32LE(88)) return undefined
  return entries(table, count)
}

function entries(table: Buffer, count: number): GptPartition[] {
  const found: GptPartition[] = []
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(index * GPT_ENTRY_SIZE, (index + 1) * GPT_ENTRY_SIZE)
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue
    const [first, last] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))]
    const name = entry.toString('utf16le', 56, 128).replace(/\0.*$/s, '')
    found.push({ number: index + 1, name, offset: first * SECTOR, size: (last - first + 1) * SECTOR })
  }
  return found
}
