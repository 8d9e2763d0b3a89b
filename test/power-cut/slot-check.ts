import { hash } from 'node:crypto'
import { BLOCK } from '../../images/layout.ts'
import { LEAF, treeSize } from '../../images/slot/verity.ts'
import { type DiskState, slice } from './disk-state.ts'
import { shortOrigin } from './memo.ts'

const PER_BLOCK = BLOCK / LEAF

/** The slot that the kernel's command line names. */
export interface SlotRoot {
  readonly root: string
  /** Count of data blocks under the hash tree. */
  readonly blocks: number
}

/** Verifies slots as dm-verity does. Caches results by the origin of each piece. */
export class SlotCheck {
  private readonly slots = new Map<string, string | undefined>()
  private readonly trees = new Map<string, Uint8Array | string>()
  private readonly chunks = new Map<string, number | undefined>()

  /** The first problem of a slot. Checks every block of its tree and its data. */
  problemOf(slot: DiskState, wanted: SlotRoot): string | undefined {
    const size = wanted.blocks * BLOCK + treeSize(wanted.blocks)
    if (size > slot.size) return `the command line needs a slot of ${size} bytes, but this one has ${slot.size}`
    const key = `${wanted.root}:${shortOrigin(slot, 0, size)}`
    return once(this.slots, key, () => this.check(slot, wanted))
  }

  /** True if the first block verifies, by which the initramfs chooses the slot. */
  opens(slot: DiskState, wanted: SlotRoot): boolean {
    const leaves = this.leavesOf(slot, wanted)
    return typeof leaves !== 'string' && badBlock(slot.read(0, BLOCK), leaves) === undefined
  }

  private check(slot: DiskState, wanted: SlotRoot): string | undefined {
    const leaves = this.leavesOf(slot, wanted)
    if (typeof leaves === 'string') return leaves
    for (let first = 0; first < wanted.blocks; first += PER_BLOCK) {
      const count = Math.min(PER_BLOCK, wanted.blocks - first)
      const chunk = slice(slot, first * BLOCK, count * BLOCK)
      const expected = leaves.subarray(first * LEAF, (first + count) * LEAF)
      const key = `${hash('sha256', expected)}:${shortOrigin(chunk, 0, chunk.size)}`
      const bad = once(this.chunks, key, () => badBlock(chunk.read(0, chunk.size), expected))
      if (bad !== undefined) return `data block ${first + bad} does not match the tree`
    }
    return undefined
  }

  /** The leaves, verified from the root down, or a description of the problem. */
  private leavesOf(slot: DiskState, { root, blocks }: SlotRoot): Uint8Array | string {
    const tree = slice(slot, blocks * BLOCK, treeSize(blocks))
    const key = `${root}:${shortOrigin(tree, 0, tree.size)}`
    return once(this.trees, key, () => verifiedLeaves(tree.read(0, tree.size), root, blocks))
  }
}

function verifiedLeaves(tree: Uint8Array, root: string, blocks: number): Uint8Array | string {
  let expected: Uint8Array = Buffer.from(root, 'hex')
  let at = 0
  for (const [depth, count] of levelSizes(blocks).entries()) {
    const level = tree.subarray(at, at + count * BLOCK)
    const bad = badBlock(level, expected)
    if (bad !== undefined) return `block ${bad} of level ${depth} of the tree does not match the level above`
    expected = level
    at += level.length
  }
  return expected
}

/** Count of blocks of each level, the top level first. */
function levelSizes(dataBlocks: number): number[] {
  const sizes = [Math.ceil(dataBlocks / PER_BLOCK)]
  while ((sizes[0] as number) > 1) sizes.unshift(Math.ceil((sizes[0] as number) / PER_BLOCK))
  return sizes
}

/** Index of the first block that does not match its hash. */
function badBlock(data: Uint8Array, hashes: Uint8Array): number | undefined {
  for (let block = 0; block * BLOCK < data.length; block++) {
    const actual = hash('sha256', data.subarray(block * BLOCK, (block + 1) * BLOCK), 'buffer')
    if (!actual.equals(hashes.subarray(block * LEAF, (block + 1) * LEAF))) return block
  }
  return undefined
}

function once<T>(known: Map<string, T>, key: string, compute: () => T): T {
  if (known.has(key)) return known.get(key) as T
  const result = compute()
  known.set(key, result)
  return result
}
