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
 * The hash tree over a boot file system, in the form of the slot's. It is mostly empty: a comparison costs a tenth of a
 * digest.
 */
export async function bootTree(file: FileHandle, size: number): Promise<BootTree> {
  if (size % BLOCK !== 0) throw new Error(`a boot file system has ${size} bytes, wanted whole blocks of ${BLOCK}`)
  const leaves = Buffer.alloc((size / BLOCK) * LEAF)
  let at = 0
  for await (const piece of wholeBlocks(piecesOf(file, 0, size))) {
    for (let start = 0; start < piece.length; start += BLOCK, at += LEAF)
      leaves.set(leafOf(piece.subarray(start, start + BLOCK)), at)
  }
  return { blocks: size / BLOCK, ...hashTree(leaves) }
}

function leafOf(block: Uint8Array): Uint8Array {
  return ZEROS.equals(block) ? ZERO_LEAF : hash('sha256', block, 'buffer')
}

/** A read may return less than was asked for, and so end within a block. */
async function* wholeBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const piece of pieces) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const whole = all.length - (all.length % BLOCK)
    if (whole > 0) yield all.subarray(0, whole)
    rest = all.subarray(whole)
  }
}
