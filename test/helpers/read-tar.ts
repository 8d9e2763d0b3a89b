import { Readable } from 'node:stream'
import { extract, type Header } from 'tar-stream'

export interface ReadEntry {
  readonly header: Header
  readonly bytes: Buffer
}

/** Reads the entries of a tar archive, in order. */
export async function readTar(bytes: Uint8Array): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = []
  const reader = Readable.from([bytes]).pipe(extract())
  for await (const entry of reader) {
    const pieces: Buffer[] = []
    for await (const piece of entry) pieces.push(Buffer.from(piece as Uint8Array))
    entries.push({ header: entry.header, bytes: Buffer.concat(pieces) })
  }
  return entries
}
