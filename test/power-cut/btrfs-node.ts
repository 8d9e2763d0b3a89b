import { crc32c } from './btrfs-superblock.ts'

/** Position of a node of a tree, and the generation and level that the node must have. */
export interface TreePlace {
  /** Address of the file system. Chunks map it to the disk. */
  readonly address: number
  readonly generation: number
  readonly level: number
}

/** A range of the file system's addresses, and the positions of its copies on the disk. */
export interface Chunk {
  readonly start: number
  readonly size: number
  readonly copies: readonly number[]
}

/** An entry of a tree's top directory: a file's inode, or a subvolume's tree. */
export interface Entry {
  readonly name: string
  readonly isSubvolume: boolean
  readonly number: number
}

/** The parts of a node that the tests use. Its checksum covers everything else. */
export interface BtrfsNode {
  readonly children: readonly TreePlace[]
  readonly chunks: readonly Chunk[]
  readonly trees: readonly (TreePlace & { readonly number: number })[]
  readonly entries: readonly Entry[]
  /** Inode and content of the files that are stored in the node. */
  readonly texts: readonly (readonly [inode: number, text: string])[]
}

// The numbers come from btrfs.readthedocs.io, On-disk format.
const HEADER = 101
const TOP_DIRECTORY = 256
const DIR_ITEM = 84
const EXTENT_DATA = 108
const ROOT_ITEM = 132
const CHUNK_ITEM = 228
const INLINE = 0
const UNCOMPRESSED = 0
const KEY = 17
/** btrfs' internal trees have negative numbers, which this parser does not distinguish. */
const NEGATIVE = 2 ** 63

/** Parses a node. Returns undefined if the node is damaged or not the wanted one. */
export function parseNode(bytes: Buffer, wanted: TreePlace): BtrfsNode | undefined {
  const isWhole = bytes.readUInt32LE(0) === crc32c(bytes.subarray(32))
  if (!isWhole || u64(bytes, 48) !== wanted.address || u64(bytes, 80) !== wanted.generation) return undefined
  const [count, level] = [bytes.readUInt32LE(96), bytes[100] ?? 0]
  if (level !== wanted.level) return undefined
  return level === 0 ? parseLeaf(bytes, count) : { ...NOTHING, children: parsePointers(bytes, count, level - 1) }
}

/** Parses the chunks in a superblock, each with its key before it. */
export function systemChunks(array: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = 0; at < array.length; ) {
    const chunk = parseChunk(array.subarray(at + KEY), u64(array, at + 9))
    chunks.push(chunk)
    at += KEY + 48 + 32 * chunk.copies.length
  }
  return chunks
}

/** Reads a number. Only the numbers of unused trees are too large for a JavaScript number. */
export function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32
}

const NOTHING: BtrfsNode = { children: [], chunks: [], trees: [], entries: [], texts: [] }

function parsePointers(bytes: Buffer, count: number, level: number): TreePlace[] {
  return Array.from({ length: count }, (_, index) => {
    const at = HEADER + index * 33 + KEY
    return { address: u64(bytes, at), generation: u64(bytes, at + 8), level }
  })
}

function parseLeaf(bytes: Buffer, count: number): BtrfsNode {
  const [chunks, trees]: [Chunk[], (TreePlace & { number: number })[]] = [[], []]
  const [entries, texts]: [Entry[], [number, string][]] = [[], []]
  for (let index = 0; index < count; index++) {
    const at = HEADER + index * 25
    const [number, type, offset] = [u64(bytes, at), bytes[at + 8], u64(bytes, at + 9)]
    const start = HEADER + bytes.readUInt32LE(at + KEY)
    const data = bytes.subarray(start, start + bytes.readUInt32LE(at + 21))
    if (type === CHUNK_ITEM) chunks.push(parseChunk(data, offset))
    // A subvolume without links is being deleted, and its tree may be incomplete. Trees of the log have no links either.
    if (type === ROOT_ITEM && (data.readUInt32LE(216) > 0 || number > NEGATIVE))
      trees.push({ number, ...parseRoot(data) })
    if (type === DIR_ITEM && number === TOP_DIRECTORY) entries.push(...parseEntries(data))
    if (type === EXTENT_DATA && data[20] === INLINE && data[16] === UNCOMPRESSED)
      texts.push([number, data.toString('utf8', 21)])
  }
  return { ...NOTHING, chunks, trees, entries, texts }
}

function parseChunk(data: Buffer, start: number): Chunk {
  const copies = Array.from({ length: data.readUInt16LE(44) }, (_, index) => u64(data, 48 + 32 * index + 8))
  return { start, size: u64(data, 0), copies }
}

function parseRoot(data: Buffer): TreePlace {
  return { generation: u64(data, 160), address: u64(data, 176), level: data[238] ?? 0 }
}

/** Parses an item. It has several entries if their names have the same hash. */
function parseEntries(data: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < data.length; ) {
    const [dataLength, nameLength] = [data.readUInt16LE(at + 25), data.readUInt16LE(at + 27)]
    const name = data.toString('utf8', at + 30, at + 30 + nameLength)
    entries.push({ name, isSubvolume: data[at + 8] === ROOT_ITEM, number: u64(data, at) })
    at += 30 + nameLength + dataLength
  }
  return entries
}
