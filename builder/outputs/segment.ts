import { readFileSync } from 'node:fs'
import { UserError } from '../../errors.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { BLOCK } from '../../images/layout.ts'

/** The source of a segment's bytes: memory, or the first `length` bytes of a file in the store. */
export type Source = { readonly bytes: Uint8Array } | { readonly file: string; readonly length: number }

/**
 * A range of an output file. It consists of whole 4 KiB blocks, padded with zeros. The ranges between segments are
 * holes.
 */
export interface Segment {
  /** The offset from the start of the output file, in bytes. */
  readonly offset: number
  readonly size: number
  /** The digest of the segment's bytes, including the padding. */
  readonly digest: Digest
  /** Digest of the source without padding, which identifies the source without reading it. */
  readonly content: Digest
  readonly source: Source
}

export function bytesSegment(offset: number, bytes: Uint8Array): Segment {
  const whole = bytes.length % BLOCK === 0 ? bytes : padded(bytes)
  const digest = digestOf(whole)
  return { offset, size: whole.length, digest, content: digest, source: { bytes: whole } }
}

/**
 * A segment with the content of a file in the store. `known` is the digest of the padded file. Without `known`, hangar
 * reads a file that does not end at a block boundary to compute the digest.
 */
export function fileSegment(
  offset: number,
  { file, size, digest: content }: { file: string; size: number; digest: Digest },
  known?: Digest,
): Segment {
  const whole = Math.ceil(size / BLOCK) * BLOCK
  const digest = whole === size ? content : (known ?? digestOf(padded(readStored(file, content))))
  return { offset, size: whole, digest, content, source: { file, length: size } }
}

/** The error for an object whose bytes do not match its digest. */
export function corruptObject(file: string): UserError {
  return new UserError('store', `'${file}' is corrupt in the store`, {
    hint: 'find and remove corrupt objects: npm run store:verify',
  })
}

export function shifted(segments: readonly Segment[], by: number): Segment[] {
  return segments.map((segment) => ({ ...segment, offset: segment.offset + by }))
}

/** Reads an object and verifies its digest: otherwise corrupt bytes would get a valid digest in the block map. */
function readStored(file: string, content: Digest): Uint8Array {
  const bytes = readFileSync(file)
  if (digestOf(bytes) !== content) throw corruptObject(file)
  return bytes
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK)
  whole.set(bytes)
  return whole
}
