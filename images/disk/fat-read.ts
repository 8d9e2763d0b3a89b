import { UserError } from '../../errors.ts'
import type { BlockSource } from './block-source.ts'

export interface FatFile {
  readonly name: string
  /** The size in bytes. */
  readonly size: number
}

export interface FatVolume {
  /** The files in the root directory. */
  list(): FatFile[]
  /** The content of a file; undefined if the file does not exist. The name is not case-sensitive. */
  read(name: string): Uint8Array | undefined
}

interface Geometry {
  readonly bits: 12 | 16 | 32
  readonly cluster: number
  readonly clusters: number
  readonly fatAt: number
  readonly dataAt: number
  /** In FAT12 and FAT16 the root directory has a fixed position; in FAT32 it is a cluster chain. */
  readonly root: { readonly at: number; readonly size: number } | { readonly first: number }
}

/**
 * Opens a FAT file system (Microsoft's specification 1.03). Damage causes an error that describes the damage, and never
 * an endless loop.
 */
export function openFat(source: BlockSource): FatVolume {
  const geometry = readGeometry(Buffer.from(source.read(0, 512)))
  const directory = () => parseDirectory(readRoot(source, geometry))
  return {
    list: () => directory().map(({ name, size }) => ({ name, size })),
    read(name) {
      const entry = directory().find((each) => each.name.toLowerCase() === name.toLowerCase())
      if (entry === undefined) return undefined
      return readChain(source, geometry, entry.first, entry.size).subarray(0, entry.size)
    },
  }
}

function readGeometry(boot: Buffer): Geometry {
  const sector = boot.readUInt16LE(11)
  const perCluster = boot.readUInt8(13)
  const sane = boot[510] === 0x55 && boot[511] === 0xaa && [512, 1024, 2048, 4096].includes(sector) && perCluster > 0
  if (!sane) throw damaged('the first sector is not a FAT boot sector')
  const reserved = boot.readUInt16LE(14)
  const fats = boot.readUInt8(16)
  const fatSize = boot.readUInt16LE(22) || boot.readUInt32LE(36)
  const total = boot.readUInt16LE(19) || boot.readUInt32LE(32)
  const rootSize = boot.readUInt16LE(17) * 32
  const rootAt = (reserved + fats * fatSize) * sector
  const dataAt = rootAt + Math.ceil(rootSize / sector) * sector
  const clusters = Math.floor((total * sector - dataAt) / (perCluster * sector))
  if (clusters < 1) throw damaged('it has no data clusters')
  const bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32
  const root = bits === 32 ? { first: boot.readUInt32LE(44) } : { at: rootAt, size: rootSize }
  return { bits, cluster: perCluster * sector, clusters, fatAt: reserved * sector, dataAt, root }
}

function readRoot(source: BlockSource, geometry: Geometry): Buffer {
  const { root } = geometry
  return 'at' in root ? Buffer.from(source.read(root.at, root.size)) : readChain(source, geometry, root.first)
}

/** The bytes of a cluster chain. It must end before it has more clusters than the file system, or than `size` bytes need. */
function readChain(source: BlockSource, geometry: Geometry, first: number, size?: number): Buffer {
  const { cluster, clusters, dataAt } = geometry
  const wanted = size === undefined ? clusters : Math.ceil(size / cluster)
  if (wanted > clusters) throw damaged(`a file of ${size} bytes is larger than the file system`)
  const numbers: number[] = []
  for (let at = first; numbers.length < wanted; at = nextCluster(source, geometry, at)) {
    if (at < 2 || at > clusters + 1) {
      if (size === undefined && numbers.length > 0) break
      throw damaged(`a cluster chain contains cluster ${at}, but the file system has ${clusters}`)
    }
    numbers.push(at)
  }
  if (size === undefined && numbers.length >= clusters) throw damaged('a cluster chain does not end')
  return Buffer.concat(
    runs(numbers).map(([start, count]) => source.read(dataAt + (start - 2) * cluster, count * cluster)),
  )
}

/** Joins consecutive clusters, so that one read covers them: [first cluster, count]. */
function runs(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last !== undefined && last[0] + last[1] === number) last[1] += 1
    else found.push([number, 1])
  }
  return found
}

function nextCluster(source: BlockSource, { bits, fatAt }: Geometry, cluster: number): number {
  if (bits === 32) return Buffer.from(source.read(fatAt + cluster * 4, 4)).readUInt32LE() & 0x0fffffff
  if (bits === 16) return Buffer.from(source.read(fatAt + cluster * 2, 2)).readUInt16LE()
  const pair = Buffer.from(source.read(fatAt + Math.floor(cluster * 1.5), 2)).readUInt16LE()
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4
}

interface DirectoryEntry extends FatFile {
  readonly first: number
}

function parseDirectory(bytes: Buffer): DirectoryEntry[] {
  const found: DirectoryEntry[] = []
  let long = ''
  for (let at = 0; at + 32 <= bytes.length && bytes[at] !== 0; at += 32) {
    const entry = bytes.subarray(at, at + 32)
    const attributes = entry.readUInt8(11)
    if (entry[0] === 0xe5) long = ''
    else if ((attributes & 0x3f) === 0x0f) long = longPart(entry) + long
    else {
      // Skips volume labels and directories.
      if ((attributes & 0x18) === 0) found.push(fileEntry(entry, long))
      long = ''
    }
  }
  return found
}

function longPart(entry: Buffer): string {
  const text = Buffer.concat([entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)]).toString(
    'utf16le',
  )
  return text.replace(/[\0\uffff].*$/s, '')
}

function fileEntry(entry: Buffer, long: string): DirectoryEntry {
  const base = entry.toString('latin1', 0, 8).trimEnd()
  const ending = entry.toString('latin1', 8, 11).trimEnd()
  const short = ending === '' ? base : `${base}.${ending}`
  return {
    name: long || short,
    size: entry.readUInt32LE(28),
    first: entry.readUInt16LE(20) * 65536 + entry.readUInt16LE(26),
  }
}

function damaged(what: string): UserError {
  return new UserError('format', `the FAT file system is damaged: ${what}`, { hint: 'write the partition again' })
}
