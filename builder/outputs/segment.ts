import { readFileSync } from 'node:fs'
import { UserError } from '../../errors.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { BLOCK } from '../../images/layout.ts'

/** Where bytes come from: memory, or the beginning of a file in the store. */
export type Source = { readonly bytes: Uint8Array } | { readonly file: string; readonly length: number }

/** Whole 4 KiB blocks of an output file; what the source lacks at the end is zeros. Between segments are holes. */
export interface Segment {
  /** Bytes from the file's start. */
  readonly offset: number
  readonly size: number
  /** Of the segment's bytes, zeros at its end included. */
  readonly digest: Digest
  /** Of the source alone, by which it is known again without being read. */
  readonly content: Digest
  readonly source: Source
}

export function bytesSegment(offset: number, bytes: Uint8Array): Segment {
  const whole = bytes.length % BLOCK === 0 ? bytes : padded(bytes)
  const digest = digestOf(whole)
  return { offset, size: whole.length, digest, content: digest, source: { bytes: whole } }
}

/**
 * A file of the store. It is read only where its size is not whole blocks, and nobody knows what digest it has once it is
 * filled up.
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

/** What the store holds is not what its name says. */
export function damaged(file: string): UserError {
  return new UserError('store', `'${file}' is damaged in the store`, {
    hint: 'find and remove what is damaged with: npm run store:verify',
  })
}

export function shifted(segments: readonly Segment[], by: number): Segment[] {
  return segments.map((segment) => ({ ...segment, offset: segment.offset + by }))
}

/** Damage that was taken for the file's content would be filled up, written and named in the block map as what was meant. */
function readStored(file: string, content: Digest): Uint8Array {
  const bytes = readFileSync(file)
  if (digestOf(bytes) !== content) throw damaged(file)
  return bytes
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK)
  whole.set(bytes)
  return whole
}
