import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'

/** A blob by its digest. */
export interface Blob {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}

/** A blob on this machine. */
export interface LocalBlob extends Blob {
  /** The blob's name in messages. */
  readonly name: string
  /** Its bytes from an offset on. */
  readonly read: (from: number) => AsyncIterable<Uint8Array>
}

/** Reports transferred bytes; a negative number means that bytes have to be sent again. */
export type Advance = (bytes: number) => void

/** How many blobs are transferred at the same time: enough for a network, few enough for a USB stick. */
export const WORKERS = 4

/** A remote repository: blobs by digest and OCI manifests by tag. It verifies the digest of what it fetches. */
export interface Repository {
  /** The address as a person types it. */
  readonly where: string
  readonly has: (blob: Blob) => Promise<boolean>
  readonly put: (blob: LocalBlob, advance: Advance) => Promise<void>
  /** Downloads a blob into a new file. */
  readonly fetch: (blob: Blob & { readonly name: string }, file: string, advance: Advance) => Promise<void>
  /** The OCI manifest of a tag or a digest; undefined when there is none. */
  readonly manifest: (reference: { readonly tag: string } | { readonly digest: Digest }) => Promise<string | undefined>
  /** Sets a tag to an OCI manifest whose blobs are all in the repository. */
  readonly putManifest: (tag: string, text: string) => Promise<void>
}

/** The store's bytes of this blob do not have its digest. */
export function corruptInStore({ name }: LocalBlob): UserError {
  return new UserError('store', `'${name}' is corrupt in the store`, {
    hint: 'find and remove corrupt objects: npm run store:verify; then build again',
  })
}
