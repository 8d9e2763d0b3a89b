import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'

/** A blob by its digest. */
export interface Blob {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}

/** A blob that is here, to be read from any of its bytes on. */
export interface LocalBlob extends Blob {
  /** What it is called in messages. */
  readonly name: string
  read(from: number): AsyncIterable<Uint8Array>
}

/** Called with the bytes that went or came; with a negative number for what has to be sent again. */
export type Advance = (bytes: number) => void

/** Where published images are: blobs, and OCI manifests by tag. What it gives is as its digest says. */
/** How many blobs are transferred at the same time: enough for a network, few enough for a USB stick. */
export const WORKERS = 4

export interface Repository {
  /** As a person types it. */
  readonly where: string
  has(blob: Blob): Promise<boolean>
  put(blob: LocalBlob, advance: Advance): Promise<void>
  /** Brings a blob into a new file, whole. */
  fetch(blob: Blob & { readonly name: string }, file: string, advance: Advance): Promise<void>
  /** An OCI manifest by its tag or its digest; undefined where there is none. */
  manifest(reference: { readonly tag: string } | { readonly digest: Digest }): Promise<string | undefined>
  /** Makes a tag name this OCI manifest, whose blobs are all there. */
  putManifest(tag: string, text: string): Promise<void>
}

/** For bytes that are not what the store says they are. */
export function damagedHere({ name }: LocalBlob): UserError {
  return new UserError('store', `'${name}' is damaged in the store`, {
    hint: 'find and remove what is damaged with: npm run store:verify; then build again',
  })
}
