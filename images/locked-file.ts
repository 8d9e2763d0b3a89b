import type { Digest } from './digest.ts'

/** A file that a lock names exactly: what it is, and the digest of its bytes. */
export interface LockedFile {
  /** The source that resolved and fetches it, as `builder/sources/registry.ts` names it; `debian` when absent. */
  readonly source?: string
  readonly package: string
  readonly version: string
  /** The path on the servers of the source, without the server. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: Digest
}

/**
 * Something that a source resolves to locked files, such as a set of Debian packages for one architecture. Each source
 * has its own fields. `object` lets a request be written without naming its source.
 */
export type SourceRequest = object & {
  /** The name of the source; `debian` when absent. */
  readonly source?: string
}
