import { MIB } from '../../images/layout.ts'
import { type BtrfsNode, type Chunk, parseNode, systemChunks, type TreePlace, u64 } from './btrfs-node.ts'
import { readBtrfsRoot } from './btrfs-superblock.ts'
import type { DiskState } from './disk-state.ts'

/** Content of a btrfs volume. */
export interface Volume {
  /** Name of each top-level subvolume -> its small top-level files. */
  readonly subvolumes: ReadonlyMap<string, ReadonlyMap<string, string>>
}

const TOP_TREE = 5

/**
 * Reads a btrfs as the kernel mounts it, then all of its metadata. A node is valid if one of its copies has the checksum,
 * address and generation that its parent names. Caches nodes by the origin of their bytes. Verifies the tree log without
 * replaying it.
 */
export class BtrfsReader {
  private readonly nodes = new Map<string, BtrfsNode | undefined>()
  private readonly superblocks = new Map<string, Superblock | undefined>()

  /** Throws an error that names the damaged part. */
  read(partition: DiskState): Volume {
    const superblock = this.superblockOf(partition)
    const walk = new Walk(partition, this.nodes, superblock)
    walk.findChunks(superblock.chunkTree)
    const trees = walk.treesIn(superblock.rootTree, 'the root tree')
    if (superblock.log !== undefined) walk.treesIn(superblock.log, 'the tree log')
    const top = trees.get(TOP_TREE)
    if (top === undefined) throw new Error('btrfs: there is no top directory')
    const subvolumes = top.flatMap(({ entries }) => entries).filter(({ isSubvolume }) => isSubvolume)
    return { subvolumes: new Map(subvolumes.map(({ name, number }) => [name, filesIn(name, trees.get(number))])) }
  }

  private superblockOf(partition: DiskState): Superblock {
    const key = [64 * 1024, 64 * MIB].map((at) => partition.origin(at, 4096)).join(';')
    if (!this.superblocks.has(key)) this.superblocks.set(key, readSuperblock(partition))
    const superblock = this.superblocks.get(key)
    if (superblock === undefined) throw new Error('btrfs: both superblocks are damaged')
    return superblock
  }
}

interface Superblock {
  readonly nodeSize: number
  readonly chunks: readonly Chunk[]
  readonly chunkTree: TreePlace
  readonly rootTree: TreePlace
  readonly log: TreePlace | undefined
}

function readSuperblock(partition: DiskState): Superblock | undefined {
  const which = readBtrfsRoot(partition)
  if (which === 'none') return undefined
  const bytes = Buffer.from(partition.read(which === 'first' ? 64 * 1024 : 64 * MIB, 4096))
  const generation = u64(bytes, 72)
  const log = u64(bytes, 96)
  return {
    nodeSize: bytes.readUInt32LE(148),
    chunks: systemChunks(bytes.subarray(811, 811 + bytes.readUInt32LE(160))),
    rootTree: { address: u64(bytes, 80), generation, level: bytes[198] ?? 0 },
    chunkTree: { address: u64(bytes, 88), generation: u64(bytes, 164), level: bytes[199] ?? 0 },
    log: log === 0 ? undefined : { address: log, generation: generation + 1, level: bytes[200] ?? 0 },
  }
}

/** Reads one state of a disk. */
class Walk {
  private readonly visited = new Map<number, BtrfsNode>()
  private readonly partition: DiskState
  private readonly nodes: Map<string, BtrfsNode | undefined>
  private readonly nodeSize: number
  private chunks: readonly Chunk[]

  constructor(partition: DiskState, nodes: Map<string, BtrfsNode | undefined>, { nodeSize, chunks }: Superblock) {
    this.partition = partition
    this.nodes = nodes
    this.nodeSize = nodeSize
    this.chunks = chunks
  }

  findChunks(tree: TreePlace): void {
    this.chunks = this.leavesOf(tree, 'the chunk tree').flatMap(({ chunks }) => chunks)
  }

  /** Number of each tree that a tree lists -> its leaves. */
  treesIn(tree: TreePlace, name: string): Map<number, readonly BtrfsNode[]> {
    const named = this.leavesOf(tree, name).flatMap(({ trees }) => trees)
    return new Map(named.map((each) => [each.number, this.leavesOf(each, `tree ${each.number} of ${name}`)]))
  }

  private leavesOf(place: TreePlace, name: string): BtrfsNode[] {
    const node = this.nodeAt(place, name)
    return place.level === 0 ? [node] : node.children.flatMap((child) => this.leavesOf(child, name))
  }

  private nodeAt(place: TreePlace, name: string): BtrfsNode {
    const visited = this.visited.get(place.address)
    if (visited !== undefined) return visited
    for (const at of this.copiesOf(place.address)) {
      const key = `${place.address}:${place.generation}:${at}:${this.partition.origin(at, this.nodeSize)}`
      if (!this.nodes.has(key))
        this.nodes.set(key, parseNode(Buffer.from(this.partition.read(at, this.nodeSize)), place))
      const node = this.nodes.get(key)
      if (node === undefined) continue
      this.visited.set(place.address, node)
      return node
    }
    throw new Error(`btrfs: a node of ${name} at ${place.address} is damaged`)
  }

  private copiesOf(address: number): number[] {
    const chunk = this.chunks.find(({ start, size }) => address >= start && address < start + size)
    return (chunk?.copies ?? []).map((at) => at + address - (chunk?.start ?? 0))
  }
}

function filesIn(name: string, leaves: readonly BtrfsNode[] | undefined): ReadonlyMap<string, string> {
  if (leaves === undefined) throw new Error(`btrfs: subvolume '${name}' has no tree`)
  const texts = new Map(leaves.flatMap((leaf) => leaf.texts))
  const entries = leaves.flatMap((leaf) => leaf.entries)
  return new Map(entries.flatMap(({ name: file, number }) => [[file, texts.get(number) ?? ''] as const]))
}
