import { open } from 'node:fs/promises'
import type { Digest } from '../../images/digest.ts'
import { BLOCK } from '../../images/layout.ts'
import { leavesOf } from '../../images/slot/verity.ts'
import type { Store } from '../store/store.ts'

const PIECE = 1024 * BLOCK

/**
 * Computes the SHA-256 of each block of a layer (the leaves of `images/slot/verity.ts`), and adds them to the store.
 */
export async function storeLeaves(
  store: Store,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<{ digest: Digest; size: number }> {
  const pieces: Uint8Array[] = []
  const file = await open(store.path(digest))
  try {
    for (let at = 0; at < size; at += PIECE) {
      const piece = Buffer.alloc(Math.min(PIECE, size - at))
      const { bytesRead } = await file.read(piece, 0, piece.length, at)
      if (bytesRead !== piece.length) throw new Error(`'${store.path(digest)}' ends at ${at + bytesRead} of ${size}`)
      pieces.push(leavesOf(piece))
    }
  } finally {
    await file.close()
  }
  const leaves = Buffer.concat(pieces)
  return { digest: await store.putBytes(leaves), size: leaves.length }
}
