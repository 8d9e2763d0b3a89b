import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { BLOCK } from '../../../images/layout.ts'
import { type HashTree, hashTree, LEAF } from '../../../images/slot/verity.ts'
import { piecesOf } from '../../transfer/stream.ts'

export interface BootTree extends HashTree {
  readonly blocks: number
}

const ZEROS = Buffer.alloc(BLOCK)
const ZERO_LEAF = hash('sha256', ZEROS, 'buffer')

/**
 * The hash tree over a boot file system, in the form of the slot's tree. Recognises empty blocks, which are most
 * blocks, because this takes a tenth of the time of a digest.
 */
export async function bootTree(file: FileHandle, size: number): Promise<BootTree> {
  if (size % BLOCK !== 0) throw new Error(`a boot file system has ${size} bytes, wanted a multiple of ${BLOCK}`)
  const leaves = Buffer.alloc((size / BLOCK) * LEAF)
  let at = 0
  for await (const piece of completeBlocks(piecesOf(file, 0, size))) {
    for (let start = 0; start < piece.length; start += BLOCK, at += LEAF)
      leaves.set(leafOf(piece.subarray(start, start + BLOCK)), at)
  }
  return { blocks: size / BLOCK, ...hashTree(leaves) }
}

function leafOf(block: Uint8Array): Uint8Array {
  return ZEROS.equals(block) ? ZERO_LEAF : hash('sha256', block, 'buffer')
}

/** Fills whole blocks, because a read may return fewer bytes than requested and end within a block. */
async function* completeBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const piece of pieces) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const complete = all.length - (all.length % BLOCK)
    if (complete > 0) yield all.subarray(0, complete)
    rest = all.subarray(complete)
  }
}
