import { createReadStream } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Digest, Digester, isDigest } from '../../images/digest.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { emptyIfAbsent } from '../../lib/writable-directory.ts'
import type { Store } from './store.ts'

export interface Verified {
  readonly whole: number
  /** The digests of the corrupt objects, or the names of the toolchains that differ from their packages. */
  readonly damaged: readonly string[]
}

/** Computes the digest of every object, and removes corrupt objects. The next build fetches or builds them again. */
export async function verifyStore(store: Store, reporter: Reporter, signal?: AbortSignal): Promise<Verified> {
  const objects = await listObjects(store)
  const step = reporter.step(
    'verify the store',
    objects.reduce((sum, { size }) => sum + size, 0),
  )
  const damaged: string[] = []
  for (const { object, file } of objects) {
    signal?.throwIfAborted()
    if ((await digestOfFile(file, (bytes) => step.advance(bytes))) === object) continue
    damaged.push(object)
    await rm(file, { force: true })
  }
  step.done('built')
  return { whole: objects.length - damaged.length, damaged }
}

export interface StoredObject {
  readonly object: Digest
  readonly file: string
  /** The size of the object, in bytes. */
  readonly size: number
}

/** Every object of a store, sorted by digest. Files with other names or in other places are not objects. */
export async function listObjects(store: Store): Promise<StoredObject[]> {
  const paths = await readdir(join(store.root, 'objects'), { recursive: true }).catch(emptyIfAbsent)
  const objects = paths
    .map((path) => basename(path))
    .filter(isDigest)
    .sort()
  const found = await Promise.all(
    [...new Set(objects)].map(async (object) => {
      const file = store.path(object)
      const { size, isFile } = await lstat(file).then(
        (stats) => ({ size: stats.size, isFile: stats.isFile() }),
        () => ({ size: 0, isFile: false }),
      )
      return { object, file, size, isFile }
    }),
  )
  return found.flatMap(({ isFile, ...object }) => (isFile ? [object] : []))
}

async function digestOfFile(file: string, onBytes: (bytes: number) => void): Promise<Digest> {
  const digester = new Digester()
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
    digester.update(piece as Uint8Array)
    onBytes((piece as Uint8Array).length)
  }
  return digester.digest()
}
