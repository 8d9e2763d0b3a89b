import type { Digest } from '../../../images/digest.ts'
import type { Integrity } from '../../../images/npm/integrity.ts'

/** A tarball by its path on a registry and its SHA-512. */
export interface WantedTarball {
  readonly package: string
  readonly version: string
  readonly path: string
  readonly integrity: Integrity
  /** Undefined until hangar has seen the tarball once. */
  readonly sha256?: Digest
}
