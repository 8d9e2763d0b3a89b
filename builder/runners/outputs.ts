import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Output, OutputFile } from '../../images/derivation.ts'
import { type Digest, Digester } from '../../images/digest.ts'
import type { Store } from '../store/store.ts'

/** Digests and sizes of the files that a command left in a directory. */
export async function readOutput(directory: string): Promise<Output> {
  const output: Record<string, OutputFile> = {}
  for (const name of (await readdir(directory)).sort()) {
    const file = join(directory, name)
    output[name] = { digest: await digestFile(file), size: (await stat(file)).size }
  }
  return output
}

/** Moves the files of an output into the store. */
export async function adoptOutput(directory: string, output: Output, store: Store): Promise<void> {
  for (const [name, { digest }] of Object.entries(output)) await store.adopt(join(directory, name), digest)
}

export async function digestFile(file: string): Promise<Digest> {
  const digester = new Digester()
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) digester.update(piece as Uint8Array)
  return digester.digest()
}
