import { hash } from 'node:crypto'
import type { Digest } from '../digest.ts'
import { BLOCK } from '../layout.ts'

/** Size of a SHA-256 in bytes. */
export const LEAF = 32
const PER_BLOCK = BLOCK / LEAF

export interface HashTree {
  /** The root hash of dm-verity: format 1, SHA-256, no salt. */
  readonly root: Digest
  /** The tree as it is on disk, directly after the data: top level first, leaves last, each level padded to whole blocks. */
  readonly bytes: Uint8Array
}

/** The leaves of data: the SHA-256 of each 4096-byte block, one after the other. */
export function leavesOf(data: Uint8Array): Uint8Array {
  const leaves = Buffer.alloc((data.length / BLOCK) * LEAF)
  for (let at = 0; at < data.length; at += BLOCK)
    leaves.set(hash('sha256', data.subarray(at, at + BLOCK), 'buffer'), (at / BLOCK) * LEAF)
  return leaves
}

/** The hash tree of `veritysetup` over leaves (kernel: Documentation/admin-guide/device-mapper/verity.rst). */
export function hashTree(leaves: Uint8Array): HashTree {
  const levels = [wholeBlocks(leaves)]
  for (let top = levels[0] as Uint8Array; top.length > BLOCK; top = levels[0] as Uint8Array)
    levels.unshift(wholeBlocks(leavesOf(top)))
  const root = hash('sha256', (levels[0] as Uint8Array).subarray(0, BLOCK), 'hex') as Digest
  return { root, bytes: Buffer.concat(levels) }
}

/** Size in bytes of the tree over `dataBlocks` blocks. */
export function treeSize(dataBlocks: number): number {
  let total = 0
  for (let count = dataBlocks; ; count = Math.ceil(count / PER_BLOCK)) {
    if (count === 1 && total > 0) return total * BLOCK
    total += Math.ceil(count / PER_BLOCK)
    if (count <= PER_BLOCK) return total * BLOCK
  }
}

function wholeBlocks(bytes: Uint8Array): Uint8Array {
  if (bytes.length % BLOCK === 0) return bytes
  const padded = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK)
  padded.set(bytes)
  return padded
}
