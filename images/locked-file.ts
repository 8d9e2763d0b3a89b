import type { Digest } from './digest.ts'

/** A file of a lock, with its exact version and digest. */
export interface LockedFile {
  /** The source that resolved and fetches it, as `builder/sources/registry.ts` names it; `debian` when absent. */
  readonly source?: string
  readonly package: string
  readonly version: string
  /** The path on the servers of the source, without the server. */
  readonly path: string
  /** The size in bytes. */
  readonly size: number
  readonly sha256: Digest
}

/**
 * A request that a source resolves to locked files, such as a set of Debian packages for one architecture. Each source
 * adds its own fields. The type `object` allows a request without the field `source`.
 */
export type SourceRequest = object & {
  /** The name of the source; `debian` when absent. */
  readonly source?: string
}
