import type { BlockSource } from '../../images/disk/block-source.ts'
import { MIB } from '../../images/layout.ts'

/** Which superblock of a btrfs is undamaged: the first, otherwise the second, or none. */
export type BtrfsRoot = 'first' | 'second' | 'none'

const SIZE = 4096
const FIRST = 64 * 1024
const SECOND = 64 * MIB

/** Checks both superblocks that a btrfs of this size has (btrfs.readthedocs.io, On-disk format). */
export function readBtrfsRoot(partition: BlockSource): BtrfsRoot {
  if (isSuperblock(partition, FIRST)) return 'first'
  return isSuperblock(partition, SECOND) ? 'second' : 'none'
}

/** CRC-32C, which superblocks and nodes use for all bytes after their checksum. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number)
  return ~crc >>> 0
}

function isSuperblock(partition: BlockSource, at: number): boolean {
  if (at + SIZE > partition.size) return false
  const bytes = Buffer.from(partition.read(at, SIZE))
  // Checksum type 0 is crc32c. A superblock contains its own position.
  const isOne = bytes.toString('latin1', 64, 72) === '_BHRfS_M' && bytes.readBigUInt64LE(48) === BigInt(at)
  return isOne && bytes.readUInt16LE(196) === 0 && bytes.readUInt32LE(0) === crc32c(bytes.subarray(32))
}

// Castagnoli's polynomial, reversed.
const POLYNOMIAL = 0x82f63b78

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  return crc >>> 0
})
