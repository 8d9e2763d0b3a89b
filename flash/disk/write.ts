import type { FileHandle } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { Digester } from '../../images/digest.ts'
import { MIB } from '../../images/layout.ts'
import type { Disk } from './disk.ts'
import { type Part, PIECE, type Stage, ZEROS } from './part.ts'
import { readRange } from './source-image.ts'

export interface WriteOptions {
  /** The open file of the disk image. */
  readonly image: FileHandle
  readonly advance: (bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * How many bytes hangar writes between two flushes. The progress counts written bytes, and must not be far ahead of the
 * disk.
 */
const FLUSH_EVERY = 64 * MIB

/** Writes the stages in order; each is on the disk before the next one begins. */
export async function writeStages(disk: Disk, stages: readonly Stage[], options: WriteOptions): Promise<void> {
  let waiting = 0
  for (const { parts } of stages) {
    for (const part of parts) {
      for await (const length of writePart(disk, part, options)) {
        waiting += length
        if (waiting < FLUSH_EVERY) continue
        await disk.flush()
        waiting = 0
      }
    }
    await disk.flush()
  }
}

/** Yields the size of each written piece. */
async function* writePart(disk: Disk, part: Part, { image, advance, signal }: WriteOptions): AsyncGenerator<number> {
  const digester = new Digester()
  let at = part.offset
  for await (const bytes of contentOf(part, image)) {
    signal?.throwIfAborted()
    await disk.write(at, bytes)
    digester.update(bytes)
    at += bytes.length
    advance(bytes.length)
    yield bytes.length
  }
  if (digester.digest() === part.digest) return
  throw new UserError('digest', `the image changed while hangar wrote its part '${part.what}' to '${disk.path}'`, {
    hint: 'wait until the build has ended, then run the same command again',
  })
}

async function* contentOf({ content, offset, size }: Part, image: FileHandle): AsyncGenerator<Uint8Array> {
  if (content.kind === 'image') {
    yield* readRange(image, offset, size)
    return
  }
  const piece = (at: number) => (content.kind === 'zeros' ? ZEROS.subarray(0, size - at) : content.bytes.subarray(at))
  for (let at = 0; at < size; at += PIECE) yield piece(at).subarray(0, PIECE)
}
