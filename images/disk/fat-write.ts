import { hash } from 'node:crypto'
import { BLOCK, MIB, SECTOR } from '../layout.ts'

export interface FatFileToWrite {
  readonly name: string
  /** The size in bytes. */
  readonly size: number
}

export interface FatPlan {
  /** Size of the file system in bytes. */
  readonly size: number
  /**
   * The bytes before the first file: boot sectors, both allocation tables and the root directory. They are whole 4 KiB
   * blocks.
   */
  readonly head: Uint8Array
  /** The position of each file, in the given order. Each file is contiguous and begins at a 4 KiB boundary. */
  readonly files: readonly { readonly name: string; readonly offset: number; readonly size: number }[]
}

/** `fat16` is for small file systems: its clusters have one sector, so that a file of one sector shares it with no other. */
export type FatKind = 'fat16' | 'fat32'

interface Shape {
  readonly kind: FatKind
  readonly perCluster: number
  readonly size: number
  readonly fatSectors: number
  readonly reserved: number
  readonly rootEntries: number
}

/**
 * Plans a FAT file system with the given files in its root directory (Microsoft's specification 1.03). The same names and
 * sizes give the same bytes: it uses no clock and no random id. FAT32 has the smallest possible multiple of 16 MiB.
 */
export function planFat(kind: FatKind, label: string, files: readonly FatFileToWrite[], fixedSize?: number): FatPlan {
  const content = files.reduce((sum, { size }) => sum + wholeBlocks(size), 0)
  const shape = shapeOf(
    kind,
    fixedSize ?? Math.max(SMALLEST_FAT32, Math.ceil((content + 4 * MIB) / (16 * MIB)) * 16 * MIB),
  )
  const dataAt = (shape.reserved + 2 * shape.fatSectors) * SECTOR + shape.rootEntries * 32
  const rootSize = kind === 'fat32' ? BLOCK : 0
  const head = Buffer.alloc(dataAt + rootSize)
  const placed: { name: string; offset: number; size: number }[] = []
  let next = dataAt + rootSize
  for (const { name, size } of files) {
    placed.push({ name, offset: next, size })
    next += wholeBlocks(size)
  }
  if (next > shape.size)
    throw new Error(`FAT file system of ${shape.size} bytes is too small for ${content} bytes of files`)
  bootSector(shape, label).copy(head)
  if (kind === 'fat32') {
    informationSector().copy(head, SECTOR)
    bootSector(shape, label).copy(head, 6 * SECTOR)
    informationSector().copy(head, 7 * SECTOR)
  }
  const table = allocationTable(shape, dataAt, placed)
  for (const copy of [0, 1]) table.copy(head, (shape.reserved + copy * shape.fatSectors) * SECTOR)
  rootDirectory(shape, label, dataAt, placed).copy(head, kind === 'fat32' ? dataAt : dataAt - shape.rootEntries * 32)
  return { size: shape.size, head, files: placed }
}

// FAT32 has at least 65525 clusters, here of 2 KiB. Drivers read a file system with fewer as FAT16.
const SMALLEST_FAT32 = 144 * MIB

function wholeBlocks(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

/** Adds reserved sectors so that files begin at a 4 KiB boundary of the partition. */
function shapeOf(kind: FatKind, size: number): Shape {
  const perCluster = kind === 'fat32' ? 4 : 1
  const entry = kind === 'fat32' ? 4 : 2
  const fatSectors = Math.ceil(((size / SECTOR / perCluster + 2) * entry) / SECTOR)
  const rootEntries = kind === 'fat32' ? 0 : 512
  const least = (kind === 'fat32' ? 32 : 1) + 2 * fatSectors + (rootEntries * 32) / SECTOR
  const reserved = (kind === 'fat32' ? 32 : 1) + ((8 - (least % 8)) % 8)
  return { kind, perCluster, size, fatSectors, reserved, rootEntries }
}

function bootSector({ kind, perCluster, size, fatSectors, reserved, rootEntries }: Shape, label: string): Buffer {
  const sector = Buffer.alloc(SECTOR)
  sector.set([0xeb, kind === 'fat32' ? 0x58 : 0x3c, 0x90])
  sector.write('HANGAR  ', 3, 'latin1')
  sector.writeUInt16LE(SECTOR, 11)
  sector.writeUInt8(perCluster, 13)
  sector.writeUInt16LE(reserved, 14)
  sector.writeUInt8(2, 16)
  sector.writeUInt16LE(rootEntries, 17)
  const total = size / SECTOR
  if (kind === 'fat16' && total < 65536) sector.writeUInt16LE(total, 19)
  else sector.writeUInt32LE(total, 32)
  sector.writeUInt8(0xf8, 21)
  // Sectors per track and heads. Modern disks have no such geometry, but mtools refuses a file system without it.
  sector.writeUInt16LE(63, 24)
  sector.writeUInt16LE(255, 26)
  if (kind === 'fat16') sector.writeUInt16LE(fatSectors, 22)
  else {
    sector.writeUInt32LE(fatSectors, 36)
    sector.writeUInt32LE(2, 44)
    sector.writeUInt16LE(1, 48)
    sector.writeUInt16LE(6, 50)
  }
  const at = kind === 'fat32' ? 64 : 36
  sector.set([0x80, 0, 0x29], at)
  sector.writeUInt32LE(volumeId(label), at + 3)
  sector.write(
    `${label.toUpperCase().padEnd(11).slice(0, 11)}${kind === 'fat32' ? 'FAT32   ' : 'FAT16   '}`,
    at + 7,
    'latin1',
  )
  sector.set([0x55, 0xaa], 510)
  return sector
}

function volumeId(label: string): number {
  return Number.parseInt(hash('sha256', `volume ${label}`, 'hex').slice(0, 8), 16)
}

/** The FSInfo sector. It sets the number of free clusters to unknown; drivers count them when they mount. */
function informationSector(): Buffer {
  const sector = Buffer.alloc(SECTOR)
  sector.writeUInt32LE(0x41615252, 0)
  sector.writeUInt32LE(0x61417272, 484)
  sector.writeUInt32LE(0xffffffff, 488)
  sector.writeUInt32LE(0xffffffff, 492)
  sector.writeUInt32LE(0xaa550000, 508)
  return sector
}

type Placed = FatPlan['files'][number]

function allocationTable(shape: Shape, dataAt: number, files: readonly Placed[]): Buffer {
  const { kind, perCluster } = shape
  const table = Buffer.alloc(shape.fatSectors * SECTOR)
  const end = kind === 'fat32' ? 0x0fffffff : 0xffff
  const set = (cluster: number, value: number) =>
    kind === 'fat32' ? table.writeUInt32LE(value, cluster * 4) : table.writeUInt16LE(value, cluster * 2)
  const chain = (first: number, count: number) => {
    for (let link = 0; link < count; link++) set(first + link, link === count - 1 ? end : first + link + 1)
  }
  set(0, kind === 'fat32' ? 0x0ffffff8 : 0xfff8)
  set(1, end)
  if (kind === 'fat32') chain(2, BLOCK / SECTOR / perCluster)
  for (const { offset, size } of files) chain(clusterAt(shape, dataAt, offset), Math.ceil(size / (perCluster * SECTOR)))
  return table
}

function clusterAt({ perCluster }: Shape, dataAt: number, offset: number): number {
  return (offset - dataAt) / (perCluster * SECTOR) + 2
}

function rootDirectory(shape: Shape, label: string, dataAt: number, files: readonly Placed[]): Buffer {
  const volume = directoryEntry(Buffer.from(label.toUpperCase().padEnd(11).slice(0, 11), 'latin1'), 0x08, 0, 0)
  const entries = files.flatMap(({ name, offset, size }, index) => {
    const short = shortName(name, index)
    const first = size === 0 ? 0 : clusterAt(shape, dataAt, offset)
    return [...longEntries(name, short), directoryEntry(short, 0x20, first, size)]
  })
  const bytes = Buffer.concat([volume, ...entries])
  const room = shape.kind === 'fat32' ? BLOCK : shape.rootEntries * 32
  if (bytes.length > room) throw new Error(`${files.length} files do not fit into the root directory of ${room} bytes`)
  return bytes
}

/** The date of every file: 1980-01-01, the first date of FAT. */
const DATE = 0x0021

function directoryEntry(short: Buffer, attributes: number, first: number, size: number): Buffer {
  const entry = Buffer.alloc(32)
  short.copy(entry)
  entry.writeUInt8(attributes, 11)
  for (const at of [16, 18, 24]) entry.writeUInt16LE(DATE, at)
  entry.writeUInt16LE(first >>> 16, 20)
  entry.writeUInt16LE(first & 0xffff, 26)
  entry.writeUInt32LE(size, 28)
  return entry
}

/** The 8.3 name of a file. It only has to be unique, because every file also has a long name. */
function shortName(name: string, index: number): Buffer {
  const upper = name.toUpperCase()
  const plain = upper.replace(/[^A-Z0-9_.-]/g, '_')
  const [base, ending] = splitName(plain)
  const number = `~${index + 1}`
  const fits = plain === upper && base.length <= 8 && ending.length <= 3 && !base.includes('.')
  const stem = fits ? base : `${base.replaceAll('.', '').slice(0, 8 - number.length)}${number}`
  return Buffer.from(`${stem.padEnd(8)}${ending.slice(0, 3).padEnd(3)}`, 'latin1')
}

function splitName(name: string): [string, string] {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)]
}

function longEntries(name: string, short: Buffer): Buffer[] {
  const checksum = short.reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0)
  const text = name.length % 13 === 0 ? name : `${name}\0`.padEnd(Math.ceil((name.length + 1) / 13) * 13, '\uffff')
  const count = text.length / 13
  return Array.from({ length: count }, (_, index) => {
    const part = Buffer.from(text.slice((count - 1 - index) * 13, (count - index) * 13), 'utf16le')
    const entry = Buffer.alloc(32)
    entry.writeUInt8((count - index) | (index === 0 ? 0x40 : 0), 0)
    part.copy(entry, 1, 0, 10)
    entry.writeUInt8(0x0f, 11)
    entry.writeUInt8(checksum, 13)
    part.copy(entry, 14, 10, 22)
    part.copy(entry, 28, 22, 26)
    return entry
  })
}
