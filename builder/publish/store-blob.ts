import { createReadStream } from 'node:fs'
import { Digester, digestOf } from '../../images/digest.ts'
import type { Store } from '../store/store.ts'
import { type Blob, corruptInStore, type LocalBlob } from './repository.ts'

const PIECE = 1 << 20

/** Returns an object of the store as a blob. A complete read throws 'store' if the bytes do not match the digest. */
export function storeBlob(store: Store, { digest, size, name }: Blob & { readonly name: string }): LocalBlob {
  const blob: LocalBlob = {
    ...{ digest, size, name },
    async *read(from) {
      const digester = new Digester()
      for await (const piece of createReadStream(store.path(digest), { start: from, highWaterMark: PIECE })) {
        digester.update(piece as Uint8Array)
        yield piece as Uint8Array
      }
      if (from === 0 && digester.digest() !== digest) throw corruptInStore(blob)
    },
  }
  return blob
}

/** Returns a text as a blob. */
export function textBlob(name: string, text: string): LocalBlob {
  const bytes = Buffer.from(text)
  return {
    ...{ name, digest: digestOf(bytes), size: bytes.length },
    async *read(from) {
      yield bytes.subarray(from)
    },
  }
}
