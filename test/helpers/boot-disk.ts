// Writes a disk with a GPT and FAT16 file systems from the specifications. It does not use the project's own writers, so that
// the tests check those independently.

const SECTOR = 512
const MIB = 1024 * 1024
const PARTITION_SIZE = 8 * MIB
const BASIC_DATA = 'a2a0d0ebe5b9334487c068b6b72699c7'
const LINUX_DATA = 'af3dc60f838472478e793d69d8477de4'
const EMPTY_NAME = '\uffff'

export type Files = Readonly<Record<string, string | Uint8Array>>

export interface TestPartition {
  readonly label: string
  /** Files in the root of a FAT file system; undefined for a partition without one. */
  readonly files: Files | undefined
  readonly size?: number
}

/** Returns the bytes of a disk. The first partition starts at 1 MiB, and the others follow without gaps. */
export function bootDisk(partitions: readonly TestPartition[]): Buffer {
  const starts: number[] = []
  let at = MIB
  for (const { size } of partitions) {
    starts.push(at)
    at += size ?? PARTITION_SIZE
  }
  const disk = Buffer.alloc(at + MIB)
  partitions.forEach(({ files, size = PARTITION_SIZE }, index) => {
    if (files !== undefined) fatFileSystem(size, files).copy(disk, starts[index])
  })
  writeGpt(disk, partitions, starts)
  return disk
}

/** Returns a FAT16 file system (Microsoft's FAT specification, version 1.03) with clusters of 1 KiB or more. */
export function fatFileSystem(size: number, files: Files): Buffer {
  const volume = Buffer.alloc(size)
  const sectors = size / SECTOR
  let perCluster = 2
  while (sectors / perCluster > 65000) perCluster *= 2
  const fatSectors = Math.ceil((sectors / perCluster + 2) / 256)
  const rootAt = (1 + 2 * fatSectors) * SECTOR
  const dataAt = rootAt + 512 * 32
  const cluster = perCluster * SECTOR
  writeBootSector(volume, sectors, perCluster, fatSectors)
  const fat: number[] = [0xfff8, 0xffff]
  const entries: Buffer[] = []
  Object.entries(files).forEach(([name, content], index) => {
    const bytes = Buffer.from(content)
    const first = fat.length
    const count = Math.ceil(bytes.length / cluster)
    for (let link = 0; link < count; link++) fat.push(link === count - 1 ? 0xffff : first + link + 1)
    bytes.copy(volume, dataAt + (first - 2) * cluster)
    entries.push(...directoryEntries(name, index, count === 0 ? 0 : first, bytes.length))
  })
  Buffer.concat(entries).copy(volume, rootAt)
  for (const copy of [0, 1]) {
    fat.forEach((value, index) => {
      volume.writeUInt16LE(value, (1 + copy * fatSectors) * SECTOR + index * 2)
    })
  }
  return volume
}

function writeBootSector(volume: Buffer, sectors: number, perCluster: number, fatSectors: number): void {
  volume.set([0xeb, 0x3c, 0x90])
  volume.write('TESTDISK', 3, 'latin1')
  volume.writeUInt16LE(SECTOR, 11)
  volume.writeUInt8(perCluster, 13)
  volume.writeUInt16LE(1, 14)
  volume.writeUInt8(2, 16)
  volume.writeUInt16LE(512, 17)
  if (sectors < 65536) volume.writeUInt16LE(sectors, 19)
  volume.writeUInt8(0xf8, 21)
  volume.writeUInt16LE(fatSectors, 22)
  if (sectors >= 65536) volume.writeUInt32LE(sectors, 32)
  volume.set([0x80, 0, 0x29, 1, 2, 3, 4], 36)
  volume.write('NO NAME    FAT16   ', 43, 'latin1')
  volume.set([0x55, 0xaa], 510)
}

/** Writes a long name and a generated short one for each file, because readers must handle both kinds. */
function directoryEntries(name: string, index: number, cluster: number, size: number): Buffer[] {
  const entry = Buffer.alloc(32)
  entry.write(`F${String(index).padStart(7, '0')}   `, 0, 'latin1')
  entry.writeUInt8(0x20, 11)
  entry.writeUInt16LE(cluster, 26)
  entry.writeUInt32LE(size, 28)
  const checksum = entry.subarray(0, 11).reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0)
  const terminated = name.length % 13 === 0 ? name : `${name}\0`
  const padded = terminated.padEnd(Math.ceil(terminated.length / 13) * 13, EMPTY_NAME)
  const parts = padded.match(/.{13}/gsu) ?? []
  return [
    ...parts.map((part, part0) => longEntry(part, part0 + 1, part0 === parts.length - 1, checksum)).reverse(),
    entry,
  ]
}

function longEntry(part: string, order: number, last: boolean, checksum: number): Buffer {
  const entry = Buffer.alloc(32)
  const text = Buffer.from(part, 'utf16le')
  entry.writeUInt8(order | (last ? 0x40 : 0), 0)
  text.copy(entry, 1, 0, 10)
  entry.writeUInt8(0x0f, 11)
  entry.writeUInt8(checksum, 13)
  text.copy(entry, 14, 10, 22)
  text.copy(entry, 28, 22, 26)
  return entry
}

/** Writes both copies of the table and the protective MBR (UEFI Specification 2.10, chapter 5.3). */
function writeGpt(disk: Buffer, partitions: readonly TestPartition[], starts: readonly number[]): void {
  const last = disk.length / SECTOR - 1
  const table = Buffer.alloc(128 * 128)
  partitions.forEach(({ label, files, size = PARTITION_SIZE }, index) => {
    const start = (starts[index] ?? 0) / SECTOR
    const at = index * 128
    table.write(files === undefined ? LINUX_DATA : BASIC_DATA, at, 'hex')
    table.writeUInt8(index + 1, at + 16)
    table.writeBigUInt64LE(BigInt(start), at + 32)
    table.writeBigUInt64LE(BigInt(start + size / SECTOR - 1), at + 40)
    table.write(label, at + 56, 'utf16le')
  })
  disk.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0], 446)
  disk.writeUInt32LE(last, 458)
  disk.set([0x55, 0xaa], 510)
  table.copy(disk, 2 * SECTOR)
  gptHeader(table, 1, last, 2, last).copy(disk, SECTOR)
  table.copy(disk, (last - 32) * SECTOR)
  gptHeader(table, last, 1, last - 32, last).copy(disk, last * SECTOR)
}

function gptHeader(table: Buffer, own: number, other: number, tableAt: number, last: number): Buffer {
  const header = Buffer.alloc(92)
  header.write('EFI PART', 0, 'latin1')
  header.writeUInt32LE(0x10000, 8)
  header.writeUInt32LE(92, 12)
  header.writeBigUInt64LE(BigInt(own), 24)
  header.writeBigUInt64LE(BigInt(other), 32)
  header.writeBigUInt64LE(34n, 40)
  header.writeBigUInt64LE(BigInt(last - 33), 48)
  header.writeUInt8(7, 56)
  header.writeBigUInt64LE(BigInt(tableAt), 72)
  header.writeUInt32LE(128, 80)
  header.writeUInt32LE(128, 84)
  header.writeUInt32LE(crc32(table), 88)
  header.writeUInt32LE(crc32(header), 16)
  return header
}

/** Computes the CRC bit by bit: Node 20.12 has no crc32, and the disks of tests are small. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
