import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { MIB } from '../../images/layout.ts'
import { crc32c, readBtrfsRoot } from './btrfs-superblock.ts'
import { superblock } from './fake-update.ts'

function partition(...parts: readonly (readonly [at: number, bytes: Uint8Array])[]) {
  const bytes = Buffer.alloc(65 * MIB)
  for (const [at, part] of parts) bytes.set(part, at)
  return blockSourceOf(bytes)
}

/** Returns a superblock for the given position, because each superblock contains its own position. */
function superblockAt(at: number): Uint8Array {
  const bytes = Buffer.from(superblock())
  bytes.writeBigUInt64LE(BigInt(at), 48)
  bytes.writeUInt32LE(crc32c(bytes.subarray(32)), 0)
  return bytes
}

describe('a btrfs', () => {
  it('reads a btrfs from its first superblock, otherwise from the second', () => {
    const [first, second] = [superblockAt(64 * 1024), superblockAt(64 * MIB)]
    expect(readBtrfsRoot(partition([64 * 1024, first], [64 * MIB, second]))).toBe('first')
    expect(readBtrfsRoot(partition([64 * 1024, first.subarray(0, 512)], [64 * MIB, second]))).toBe('second')
  })

  it('refuses a btrfs if both superblocks are damaged or at the wrong position', () => {
    expect(readBtrfsRoot(partition())).toBe('none')
    expect(readBtrfsRoot(partition([64 * 1024, superblockAt(64 * MIB)]))).toBe('none')
    expect(
      readBtrfsRoot(partition([64 * 1024, superblockAt(64 * 1024).map((byte, at) => byte ^ Number(at === 4095))])),
    ).toBe('none')
  })
})

describe('crc32c', () => {
  it('crc32c matches the test vectors of RFC 3720', () => {
    // The test vectors are from RFC 3720, appendix B.4.
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa')
    expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43')
    expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283')
  })
})
