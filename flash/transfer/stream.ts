import type { FileHandle } from 'node:fs/promises'
import { BLOCK } from '../../images/layout.ts'
import type { Range } from './ranges.ts'

/** The largest number of blocks in one record; see docs/agent-protocol.md. */
export const MOST_BLOCKS = 4096
const MAGIC = Buffer.from('HGB1')
const END = 0xffffffff
/** The size of a piece in bytes, which limits the memory. */
const PIECE = 1024 * 1024

/** Reads the blocks of a file as records, as fast as the consumer takes them. */
export async function* records(
  file: FileHandle,
  ranges: readonly Range[],
  onRead: (bytes: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  for (const { first, count } of ranges.flatMap(split)) {
    yield header(first, count)
    for await (const piece of piecesOf(file, first * BLOCK, count * BLOCK)) {
      yield piece
      onRead(piece.length)
    }
  }
  yield header(END, 0)
}

/** Reads a range of a file in pieces. */
export async function* piecesOf(file: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, size - at))
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + at)
    if (bytesRead === 0) throw new Error(`a file ends at byte ${offset + at}, wanted ${offset + size}`)
    yield piece.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** Forwards bytes, and reports the size of each piece. */
export async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    onBytes(piece.length)
    yield piece
  }
}

function split({ first, count }: Range): Range[] {
  const parts: Range[] = []
  for (let at = 0; at < count; at += MOST_BLOCKS) {
    parts.push({ first: first + at, count: Math.min(MOST_BLOCKS, count - at) })
  }
  return parts
}

function header(first: number, count: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.set(MAGIC)
  bytes.writeUInt32BE(first, 4)
  bytes.writeUInt32BE(count, 8)
  return bytes
}
