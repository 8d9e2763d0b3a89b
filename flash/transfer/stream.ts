import type { FileHandle } from 'node:fs/promises'
import { BLOCK } from '../../images/layout.ts'
import type { Range } from './ranges.ts'

/** The most blocks in one record: docs/agent-protocol.md. */
export const MOST_BLOCKS = 4096
const MAGIC = Buffer.from('HGB1')
const END = 0xffffffff
/** Bytes of a file in memory at a time. */
const PIECE = 1024 * 1024

/** The blocks of a file as records. Reads on only when the consumer takes more. */
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

/** A part of a file in pieces. */
export async function* piecesOf(file: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, size - at))
    const { bytesRead } = await file.read(piece, 0, piece.length, offset + at)
    if (bytesRead === 0) throw new Error(`a file ends at byte ${offset + at}, wanted ${offset + size}`)
    yield piece.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** Passes bytes on and reports the size of each piece. */
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
