import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'

/** A blob, identified by its digest. */
export interface Blob {
  readonly digest: Digest
  /** The size in bytes. */
  readonly size: number
}

/** A blob on this machine. */
export interface LocalBlob extends Blob {
  /** How messages name the blob. */
  readonly name: string
  /** Reads the bytes of the blob, starting at an offset. */
  readonly read: (from: number) => AsyncIterable<Uint8Array>
}

/** Reports transferred bytes. A negative number means that hangar has to send these bytes again. */
export type Advance = (bytes: number) => void

/**
 * How many blobs hangar transfers at the same time. More would not speed up a network, and would slow down a USB stick.
 */
export const WORKERS = 4

/** A remote repository with blobs and tagged OCI manifests. It verifies the digest of everything that it fetches. */
export interface Repository {
  /** The address of the repository, in the form that users type. */
  readonly where: string
  readonly has: (blob: Blob) => Promise<boolean>
  readonly put: (blob: LocalBlob, advance: Advance) => Promise<void>
  /** Downloads a blob into a new file. */
  readonly fetch: (blob: Blob & { readonly name: string }, file: string, advance: Advance) => Promise<void>
  /** The OCI manifest of a tag or a digest; undefined if the repository has no such manifest. */
  readonly manifest: (reference: { readonly tag: string } | { readonly digest: Digest }) => Promise<string | undefined>
  /** Sets a tag to an OCI manifest whose blobs are all in the repository. */
  readonly putManifest: (tag: string, text: string) => Promise<void>
}

/** The error for a blob whose bytes in the store do not match its digest. */
export function corruptInStore({ name }: LocalBlob): UserError {
  return new UserError('store', `'${name}' is corrupt in the store`, {
    hint: 'find and remove corrupt objects: npm run store:verify; then build again',
  })
}
