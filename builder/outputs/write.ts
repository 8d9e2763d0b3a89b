import { closeSync, fdatasyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { type Digest, Digester } from '../../images/digest.ts'
import { withPath } from '../../lib/file-problem.ts'
import { corruptObject, type Segment, type Source } from './segment.ts'
import { type FileState, keyOf } from './state.ts'

const PIECE = 4 * 1024 * 1024
const ZEROS = Buffer.alloc(PIECE)

/**
 * Makes a file contain exactly these segments, with holes between them. Writes only the segments that differ from
 * `state`; without a state, writes the complete file.
 */
export function writeSegments(
  path: string,
  size: number,
  segments: readonly Segment[],
  state: FileState | undefined,
): void {
  const file = openSync(path, state === undefined ? 'w' : 'r+')
  try {
    const known = new Set((state?.segments ?? []).map(keyOf))
    const kept = segments.filter((segment) => known.has(keyOf(segment)))
    const old = stale(state, segments)
    const cut = cutOf(old, kept)
    for (const { offset, size: length } of old) if (offset < cut) writeZeros(file, offset, length)
    if (cut < size) ftruncateSync(file, cut)
    ftruncateSync(file, size)
    const written = new Set(kept.filter(({ offset }) => offset < cut).map(keyOf))
    for (const segment of segments) if (!written.has(keyOf(segment))) writeSource(file, segment)
    // Cuts the padding: segments consist of whole blocks, but a file may end within its last block.
    ftruncateSync(file, size)
    // Flushes before the state lists the file as complete: otherwise the file could have the right size but not its
    // content after a power cut.
    fdatasyncSync(file)
  } catch (error) {
    throw withPath(path, error)
  } finally {
    closeSync(file)
  }
}

/** The SHA-256 of the file of this size, read from the sources of its segments. */
export function digestSegments(size: number, segments: readonly Segment[]): Digest {
  const digester = new Digester()
  let at = 0
  // Ignores the padding: segments consist of whole blocks, but the file may end within its last block.
  const update = (bytes: Uint8Array) => {
    const within = bytes.subarray(0, Math.max(0, size - at))
    digester.update(within)
    at += within.length
  }
  const zerosUntil = (end: number) => {
    while (at < Math.min(end, size)) update(ZEROS.subarray(0, Math.min(PIECE, end - at)))
  }
  for (const { offset, size: length, source } of [...segments].sort((a, b) => a.offset - b.offset)) {
    zerosUntil(offset)
    readSource(source, update)
    zerosUntil(offset + length)
  }
  zerosUntil(size)
  return digester.digest()
}

interface Range {
  readonly offset: number
  readonly size: number
}

/** The ranges of the file that have content now and must become holes. */
function stale(state: FileState | undefined, segments: readonly Segment[]): Range[] {
  return (state?.segments ?? []).flatMap((old) =>
    segments.reduce<Range[]>((left, segment) => left.flatMap((range) => without(range, segment)), [old]),
  )
}

/**
 * The offset at which the file is cut before it gets its size again: that turns old content into holes, which zeros would
 * not, but kept segments after the cut have to be written again. Infinity if no cut frees more bytes than it costs.
 */
function cutOf(old: readonly Range[], kept: readonly Range[]): number {
  const after = (ranges: readonly Range[], at: number) =>
    ranges.reduce((sum, { offset, size }) => (offset >= at ? sum + size : sum), 0)
  const worth = old.map(({ offset }) => offset).filter((at) => after(old, at) >= after(kept, at))
  return Math.min(...worth)
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

/** Writes a segment and verifies its digest at the same time, because these bytes end up on a device. */
function writeSource(file: number, { offset, size, digest, source }: Segment): void {
  const digester = new Digester()
  let at = offset
  readSource(source, (bytes) => {
    digester.update(bytes)
    at += writeSync(file, bytes, 0, bytes.length, at)
  })
  const left = offset + size - at
  hashZeros(digester, left)
  if (digester.digest() !== digest) throw wrongDigest(source)
  writeZeros(file, at, left)
}

function wrongDigest(source: Source): Error {
  if ('bytes' in source) return new Error('the bytes of a segment do not have its digest')
  return corruptObject(source.file)
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
