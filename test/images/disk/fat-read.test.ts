import { describe, expect, it } from 'vitest'
import { blockSourceOf } from '../../../images/disk/block-source.ts'
import { openFat } from '../../../images/disk/fat-read.ts'
import { MIB } from '../../../images/layout.ts'
import { fatFileSystem } from '../../helpers/boot-disk.ts'

const FILES = {
  'config.txt': '[all]\n',
  'bcm2712-rpi-5-b.dtb': Buffer.alloc(5000, 'tree'),
  'a name of exactly 26 chars': 'long',
  'empty.txt': '',
}
const healthy = fatFileSystem(8 * MIB, FILES)

// The helper's volume has one reserved sector, two tables of 33 sectors, 512 root entries and clusters of 1 KiB.
const TABLE = 512
const ROOT = (1 + 2 * 33) * 512

function damaged(change: (bytes: Buffer) => void): () => Uint8Array | undefined {
  const bytes = Buffer.from(healthy)
  change(bytes)
  return () => openFat(blockSourceOf(bytes)).read('bcm2712-rpi-5-b.dtb')
}

/** Offset of the directory entry of the file with this size. */
function entryOf(bytes: Buffer, size: number): number {
  for (let at = ROOT; at < ROOT + 512 * 32; at += 32)
    if (bytes[at + 11] === 0x20 && bytes.readUInt32LE(at + 28) === size) return at
  throw new Error(`no file of ${size} bytes`)
}

describe('openFat', () => {
  it('lists the files in the root directory by their long names', () => {
    expect(openFat(blockSourceOf(healthy)).list()).toEqual(
      Object.entries(FILES).map(([name, content]) => ({ name, size: content.length })),
    )
  })

  it.each(Object.entries(FILES))('reads a FAT file: %s', (name, content) => {
    expect(Buffer.from(openFat(blockSourceOf(healthy)).read(name) ?? 'missing')).toEqual(Buffer.from(content))
  })

  it('finds a file in upper or lower case, and returns undefined for a missing file', () => {
    const volume = openFat(blockSourceOf(healthy))
    expect(Buffer.from(volume.read('CONFIG.TXT') ?? '').toString()).toBe('[all]\n')
    expect(volume.read('kernel8.img')).toBeUndefined()
  })

  it('reads a fragmented file', () => {
    const bytes = Buffer.from(healthy)
    const first = bytes.readUInt16LE(entryOf(bytes, 5000) + 26)
    const [second, free] = [first + 1, 1000]
    const cluster = (number: number) => ROOT + 512 * 32 + (number - 2) * 1024
    bytes.copy(bytes, cluster(free), cluster(second), cluster(second) + 1024)
    bytes.fill('x', cluster(second), cluster(second) + 1024)
    bytes.writeUInt16LE(free, TABLE + first * 2)
    bytes.writeUInt16LE(second + 1, TABLE + free * 2)
    expect(openFat(blockSourceOf(bytes)).read('bcm2712-rpi-5-b.dtb')).toEqual(FILES['bcm2712-rpi-5-b.dtb'])
  })

  it('skips deleted files, directories and the volume label', () => {
    const bytes = Buffer.from(healthy)
    bytes[entryOf(bytes, 6)] = 0xe5
    bytes[entryOf(bytes, 5000) + 11] = 0x10
    bytes[entryOf(bytes, 4) + 11] = 0x08
    expect(
      openFat(blockSourceOf(bytes))
        .list()
        .map(({ name }) => name),
    ).toEqual(['empty.txt'])
  })
})

describe('openFat, given a damaged file system,', () => {
  it.each<[string, (bytes: Buffer) => void, string]>([
    ['without boot signature', (bytes) => bytes.fill(0, 510, 512), 'the first sector is not a FAT boot sector'],
    ['of zeros', (bytes) => bytes.fill(0), 'the first sector is not a FAT boot sector'],
    ['with an odd sector size', (bytes) => bytes.writeUInt16LE(513, 11), 'the first sector is not a FAT boot sector'],
    ['without clusters', (bytes) => bytes.writeUInt16LE(40, 19), 'it has no data clusters'],
    [
      'with a file that begins at cluster 1',
      (bytes) => bytes.writeUInt16LE(1, entryOf(bytes, 5000) + 26),
      'a cluster chain contains cluster 1, but the file system has ',
    ],
    [
      'with a chain that ends too early',
      (bytes) => bytes.writeUInt16LE(0xffff, TABLE + bytes.readUInt16LE(entryOf(bytes, 5000) + 26) * 2),
      'a cluster chain contains cluster 65535, but the file system has ',
    ],
    [
      'with a file larger than the file system',
      (bytes) => bytes.writeUInt32LE(0xfffffff0, entryOf(bytes, 5000) + 28),
      'a file of 4294967280 bytes is larger than the file system',
    ],
  ])('refuses a FAT file system %s', (_what, change, reason) => {
    expect(damaged(change)).toThrow(
      expect.objectContaining({
        code: 'format',
        message: expect.stringContaining(`the FAT file system is damaged: ${reason}`),
        hint: 'write the partition again',
      }),
    )
  })
})
