import { type Digest, Digester, digestOf } from '../../images/digest.ts'
import { MIB } from '../../images/layout.ts'

/** The largest size of one read or write, in bytes. */
export const PIECE = 4 * MIB

export type Content =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Content from the image, at the same offset as on the disk. */
  | { readonly kind: 'image' }

/** A range of the disk, and the content that hangar writes there. */
export interface Part {
  /** The name of the part in messages: `boot-a`, `partition table`. */
  readonly what: string
  /** The offset from the start of the disk, in bytes. */
  readonly offset: number
  readonly size: number
  readonly content: Content
  readonly digest: Digest
}

/** A stage: parts in any order. All parts of a stage are on the disk before the next stage begins. */
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
