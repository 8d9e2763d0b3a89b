import { type Layout, type Partition, SECTOR } from '../layout.ts'
import { guid } from '../reproducible.ts'
import { crc32 } from './crc32.ts'
import { GPT_ENTRIES, GPT_ENTRY_SIZE, GPT_SIGNATURE } from './gpt-read.ts'

export interface Piece {
  /** The offset from the start of the disk, in bytes. */
  readonly offset: number
  readonly bytes: Uint8Array
}

const BASIC_DATA = 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7'
const LINUX_DATA = '0fc63daf-8483-4772-8e79-3d69d8477de4'
const ENTRY_SECTORS = (GPT_ENTRIES * GPT_ENTRY_SIZE) / SECTOR

/**
 * The GPT of a host's disk (UEFI specification 2.10, chapter 5.3): protective MBR and primary table at the start, backup
 * table at the end. The ids are derived from the host's name, so that the disks of two hosts have different ids.
 */
export function gptPieces(layout: Layout, host: string): [Piece, Piece] {
  const sectors = layout.size / SECTOR
  const entries = entryTable(layout.partitions, host)
  const header = (own: number, other: number, table: number) =>
    gptHeader({ own, other, table, sectors, entries, disk: guid(`disk ${host}`) })
  const primary = Buffer.concat([protectiveMbr(sectors), header(1, sectors - 1, 2), entries])
  const backupTable = sectors - 1 - ENTRY_SECTORS
  const backup = Buffer.concat([entries, header(sectors - 1, 1, backupTable)])
  return [
    { offset: 0, bytes: primary },
    { offset: backupTable * SECTOR, bytes: backup },
  ]
}

function entryTable(partitions: readonly Partition[], host: string): Buffer {
  const table = Buffer.alloc(GPT_ENTRIES * GPT_ENTRY_SIZE)
  partitions.forEach(({ name, offset, size }, index) => {
    const at = index * GPT_ENTRY_SIZE
    // The partition type basic data: the firmware looks for FAT only in partitions of this type.
    const fat = name === 'selector' || name.startsWith('boot-')
    guidBytes(fat ? BASIC_DATA : LINUX_DATA).copy(table, at)
    guidBytes(guid(`partition ${host} ${name}`)).copy(table, at + 16)
    table.writeBigUInt64LE(BigInt(offset / SECTOR), at + 32)
    table.writeBigUInt64LE(BigInt((offset + size) / SECTOR - 1), at + 40)
    table.write(name, at + 56, 'utf16le')
  })
  return table
}

interface Header {
  readonly own: number
  readonly other: number
  readonly table: number
  readonly sectors: number
  readonly entries: Buffer
  readonly disk: string
}

function gptHeader({ own, other, table, sectors, entries, disk }: Header): Buffer {
  const header = Buffer.alloc(SECTOR)
  header.write(GPT_SIGNATURE, 0, 'latin1')
  header.writeUInt32LE(0x00010000, 8)
  header.writeUInt32LE(92, 12)
  header.writeBigUInt64LE(BigInt(own), 24)
  header.writeBigUInt64LE(BigInt(other), 32)
  header.writeBigUInt64LE(BigInt(2 + ENTRY_SECTORS), 40)
  header.writeBigUInt64LE(BigInt(sectors - 2 - ENTRY_SECTORS), 48)
  guidBytes(disk).copy(header, 56)
  header.writeBigUInt64LE(BigInt(table), 72)
  header.writeUInt32LE(GPT_ENTRIES, 80)
  header.writeUInt32LE(GPT_ENTRY_SIZE, 84)
  header.writeUInt32LE(crc32(entries), 88)
  header.writeUInt32LE(crc32(header.subarray(0, 92)), 16)
  return header
}

function protectiveMbr(sectors: number): Buffer {
  const mbr = Buffer.alloc(SECTOR)
  mbr.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446)
  mbr.writeUInt32LE(1, 454)
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458)
  mbr.set([0x55, 0xaa], 510)
  return mbr
}

/** GPT stores the first three groups of a GUID in little-endian order. */
function guidBytes(text: string): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-')
  return Buffer.concat([...[a, b, c].map((part) => Buffer.from(part, 'hex').reverse()), Buffer.from(d + e, 'hex')])
}
