import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import type { OutputFile } from '../images/derivation.ts'
import { Digester } from '../images/digest.ts'

/**
 * A member of a tar file. Each field is given or has a fixed value, so that nothing depends on the machine or the
 * clock.
 */
export interface TarEntry {
  /** The path, without a leading `/`. The path of a directory ends with `/`. */
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink' | 'link'
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  readonly linkname?: string
  readonly content?: { readonly text: string } | { readonly file: string; readonly size: number }
}

export type AddEntry = (entry: TarEntry) => Promise<void>

const TIME = new Date(0)

/** Writes a tar file with the entries that `fill` adds, in this order. The same entries give the same bytes. */
export async function writeTar(path: string, fill: (add: AddEntry) => Promise<void>): Promise<OutputFile> {
  const tar = pack()
  const digester = new Digester()
  let size = 0
  const counted = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      digester.update(piece)
      size += piece.length
      yield piece
    }
  }
  const filled = fillTar(tar, fill)
  await Promise.all([pipeline(tar as AsyncIterable<Uint8Array>, counted, createWriteStream(path)), filled])
  return { digest: digester.digest(), size }
}

/** Makes a tar file in memory, for secrets that must not be in a file unencrypted. */
export async function tarBytes(entries: readonly TarEntry[]): Promise<Uint8Array> {
  const tar = pack()
  const pieces: Uint8Array[] = []
  const filled = fillTar(tar, async (add) => {
    for (const entry of entries) await add(entry)
  })
  for await (const piece of tar as AsyncIterable<Uint8Array>) pieces.push(piece)
  await filled
  return Buffer.concat(pieces)
}

function fillTar(tar: ReturnType<typeof pack>, fill: (add: AddEntry) => Promise<void>): Promise<void> {
  return fill((entry) => addTo(tar, entry)).then(
    () => tar.finalize(),
    (error) => tar.destroy(error),
  )
}

async function addTo(tar: ReturnType<typeof pack>, { content, uid = 0, gid = 0, ...entry }: TarEntry): Promise<void> {
  const header = { ...entry, uid, gid, mtime: TIME }
  if (content !== undefined && 'file' in content) {
    await pipeline(createReadStream(content.file), tar.entry({ ...header, size: content.size }))
    return
  }
  await new Promise<void>((resolve, reject) => {
    tar.entry(header, content?.text ?? '', (error) => (error ? reject(error) : resolve()))
  })
}
