import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../images/digest.ts'
import { crc32 } from '../../../images/disk/crc32.ts'
import { gptPieces } from '../../../images/disk/gpt-write.ts'
import { diskLayout, GIB, SECTOR } from '../../../images/layout.ts'
import { guid } from '../../../images/reproducible.ts'

const layout = diskLayout(8 * GIB)
const lastSector = layout.size / SECTOR - 1
const [primary, backup] = gptPieces(layout, 'adama').map(({ offset, bytes }) => ({ offset, bytes: Buffer.from(bytes) }))

/** The fields of the header (UEFI 2.10, table 5.5). */
function header(bytes: Buffer | undefined, sector: number) {
  const at = bytes?.subarray(sector * SECTOR, (sector + 1) * SECTOR) ?? Buffer.alloc(SECTOR)
  const number = (offset: number) => Number(at.readBigUInt64LE(offset))
  return {
    signature: at.toString('latin1', 0, 8),
    checksum: at.readUInt32LE(16),
    computed: crc32(Buffer.concat([at.subarray(0, 16), Buffer.alloc(4), at.subarray(20, 92)])),
    myLba: number(24),
    alternateLba: number(32),
    firstUsable: number(40),
    lastUsable: number(48),
    disk: at.toString('hex', 56, 72),
    entriesAt: number(72),
    entries: at.readUInt32LE(88),
  }
}

const partitionIds = (host: string) => {
  const [{ bytes }] = gptPieces(layout, host)
  const table = Buffer.from(bytes).subarray(2 * SECTOR)
  return layout.partitions.map(({ number }) => table.toString('hex', (number - 1) * 128 + 16, (number - 1) * 128 + 32))
}

describe('gptPieces', () => {
  // sgdisk -v (1.0.9) and sfdisk -V (2.38) found no errors in a disk with these bytes.
  it('never changes the bytes of a partition table, because existing disks have them', () => {
    expect([primary?.offset, digestOf(primary?.bytes ?? '')]).toEqual([
      0,
      '209ae7998652808b53e33185d3492aa542e086f73ab026c6e2776fa51e98f7cc',
    ])
    expect([backup?.offset, digestOf(backup?.bytes ?? '')]).toEqual([
      (lastSector - 32) * SECTOR,
      '74b3429e7e54611c32e9ea8100829b1f91d83b756314c235b94682c5911a447e',
    ])
  })

  it('writes a header at each end of the disk, with its own checksum and a pointer to the other header', () => {
    const [one, two] = [header(primary?.bytes, 1), header(backup?.bytes, 32)]
    expect(one).toMatchObject({ signature: 'EFI PART', myLba: 1, alternateLba: lastSector, entriesAt: 2 })
    expect(two).toMatchObject({
      signature: 'EFI PART',
      myLba: lastSector,
      alternateLba: 1,
      entriesAt: lastSector - 32,
    })
    for (const each of [one, two]) {
      expect(each).toMatchObject({ firstUsable: 34, lastUsable: lastSector - 33, disk: one.disk })
      expect(each.checksum).toBe(each.computed)
    }
  })

  it('writes the same partition entries at both ends, with their checksum in both headers', () => {
    const entries = primary?.bytes.subarray(2 * SECTOR) ?? Buffer.alloc(0)
    expect(backup?.bytes.subarray(0, 32 * SECTOR)).toEqual(entries)
    expect([header(primary?.bytes, 1).entries, header(backup?.bytes, 32).entries]).toEqual(
      Array(2).fill(crc32(entries)),
    )
  })

  it('the disk begins with a protective MBR that covers the whole disk', () => {
    const mbr = primary?.bytes.subarray(0, SECTOR) ?? Buffer.alloc(SECTOR)
    expect(mbr[450]).toBe(0xee)
    expect([mbr.readUInt32LE(454), mbr.readUInt32LE(458)]).toEqual([1, lastSector])
    expect(mbr.subarray(462, 510).every((byte) => byte === 0)).toBe(true)
    expect([...mbr.subarray(510)]).toEqual([0x55, 0xaa])
  })

  it("gives the partition type 'basic data' only to the partitions that the firmware reads", () => {
    const table = primary?.bytes.subarray(2 * SECTOR) ?? Buffer.alloc(0)
    const fat = layout.partitions.filter(({ number }) => table.readUInt32LE((number - 1) * 128) === 0xebd0a0a2)
    expect(fat.map(({ name }) => name)).toEqual(['selector', 'boot-a', 'boot-b'])
  })
})

describe('the ids of disks and partitions', () => {
  it('disk and partition ids are the same for the same host, and differ between two hosts', () => {
    expect(partitionIds('adama')).toEqual(partitionIds('adama'))
    expect(new Set([...partitionIds('adama'), ...partitionIds('starbuck')]).size).toBe(14)
    const disk = (host: string) => header(Buffer.from(gptPieces(layout, host)[0].bytes), 1).disk
    expect(disk('adama')).toBe(disk('adama'))
    expect(disk('adama')).not.toBe(disk('starbuck'))
  })

  it('disk and partition ids are UUIDs of version 8 (RFC 9562)', () => {
    expect(guid('disk adama')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('disk and partition ids have their first three groups in little-endian order', () => {
    const [a = '', b = '', c = '', d = '', e = ''] = guid('partition adama boot-a').split('-')
    const swapped = [a, b, c].map((part) => Buffer.from(part, 'hex').reverse().toString('hex'))
    expect(partitionIds('adama')[1]).toBe([...swapped, d, e].join(''))
  })
})
