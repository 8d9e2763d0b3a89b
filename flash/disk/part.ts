import { type Digest, Digester, digestOf } from '../../images/digest.ts'
import { MIB } from '../../images/layout.ts'

/** The most bytes of one read or write. */
export const PIECE = 4 * MIB

export type Content =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The bytes at the same offset of the image. */
  | { readonly kind: 'image' }

/** A range of the disk and its content. */
export interface Part {
  /** For messages: `boot-a`, `partition table`. */
  readonly what: string
  /** Bytes from the disk's start. */
  readonly offset: number
  readonly size: number
  readonly content: Content
  readonly digest: Digest
}

/** Parts in any order. All of them are on the disk before the next stage begins. */
export interface Stage {
  readonly name: string
  readonly parts: readonly Part[]
}

export function bytesPart(what: string, offset: number, bytes: Uint8Array): Part {
  return { what, offset, size: bytes.length, content: { kind: 'bytes', bytes }, digest: digestOf(bytes) }
}

export function zerosPart(what: string, offset: number, size: number): Part {
  const digester = new Digester()
  for (let left = size; left > 0; left -= PIECE) digester.update(ZEROS.subarray(0, Math.min(PIECE, left)))
  return { what, offset, size, content: { kind: 'zeros' }, digest: digester.digest() }
}

export const ZEROS = new Uint8Array(PIECE)
