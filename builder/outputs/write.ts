import { closeSync, fdatasyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { type Digest, Digester } from '../../images/digest.ts'
import { damaged, type Segment, type Source } from './segment.ts'
import type { FileState } from './state.ts'

const PIECE = 4 * 1024 * 1024
const ZEROS = Buffer.alloc(PIECE)

/**
 * Brings a file to exactly these segments with holes between them. Of a file whose state is known only what differs is
 * written; any other is written whole.
 */
export function writeSegments(
  path: string,
  size: number,
  segments: readonly Segment[],
  state: FileState | undefined,
): void {
  const file = openSync(path, state === undefined ? 'w' : 'r+')
  try {
    const kept = new Set((state?.segments ?? []).map(keyOf))
    for (const { offset, size: length } of stale(state, segments)) writeZeros(file, offset, length)
    ftruncateSync(file, size)
    for (const segment of segments) if (!kept.has(keyOf(segment))) writeSource(file, segment)
    // Segments are whole blocks: a file of text ends before its last one does.
    ftruncateSync(file, size)
    // On the disk before anything says that it is whole: after a power cut a file has its size and not its content.
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** The file's SHA-256, read from where its segments come from. */
export function digestSegments(size: number, segments: readonly Segment[]): Digest {
  const digester = new Digester()
  let at = 0
  for (const segment of [...segments].sort((a, b) => a.offset - b.offset)) {
    hashZeros(digester, segment.offset - at)
    readSource(segment.source, (bytes) => digester.update(bytes))
    hashZeros(digester, segment.size - lengthOf(segment.source))
    at = segment.offset + segment.size
  }
  hashZeros(digester, size - at)
  return digester.digest()
}

function keyOf({ offset, size, digest }: { offset: number; size: number; digest: Digest }): string {
  return `${offset} ${size} ${digest}`
}

interface Range {
  readonly offset: number
  readonly size: number
}

/** Parts of the file that held something and are to be holes now. */
function stale(state: FileState | undefined, segments: readonly Segment[]): Range[] {
  return (state?.segments ?? []).flatMap((old) =>
    segments.reduce<Range[]>((left, segment) => left.flatMap((range) => without(range, segment)), [old]),
  )
}

function without(range: Range, taken: Range): Range[] {
  const [end, takenEnd] = [range.offset + range.size, taken.offset + taken.size]
  const before = { offset: range.offset, size: Math.min(end, taken.offset) - range.offset }
  const after = { offset: Math.max(range.offset, takenEnd), size: end - Math.max(range.offset, takenEnd) }
  return [before, after].filter(({ size }) => size > 0)
}

function writeZeros(file: number, offset: number, length: number): void {
  for (let done = 0; done < length; done += PIECE)
    writeSync(file, ZEROS, 0, Math.min(PIECE, length - done), offset + done)
}

/** What the store holds is read once more here, on its way to a device: it has to be what its name says. */
function writeSource(file: number, { offset, size, digest, source }: Segment): void {
  const digester = new Digester()
  let at = offset
  readSource(source, (bytes) => {
    digester.update(bytes)
    at += writeSync(file, bytes, 0, bytes.length, at)
  })
  const left = offset + size - at
  hashZeros(digester, left)
  if (digester.digest() !== digest) throw wrong(source)
  writeZeros(file, at, left)
}

function wrong(source: Source): Error {
  if ('bytes' in source) return new Error('a segment does not have the digest that it was given')
  return damaged(source.file)
}

function lengthOf(source: Source): number {
  return 'bytes' in source ? source.bytes.length : source.length
}

function readSource(source: Source, use: (bytes: Uint8Array) => void): void {
  if ('bytes' in source) {
    use(source.bytes)
    return
  }
  const file = openSync(source.file, 'r')
  const piece = Buffer.allocUnsafe(Math.min(PIECE, source.length))
  try {
    for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) use(piece.subarray(0, count))
  } finally {
    closeSync(file)
  }
}

function hashZeros(digester: Digester, length: number): void {
  for (let left = length; left > 0; left -= PIECE) digester.update(ZEROS.subarray(0, Math.min(PIECE, left)))
}
