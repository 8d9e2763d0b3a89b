import type { Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'

/** Objects by content digest, and outputs by derivation digest. Nothing half-written is ever found. */
export interface Store {
  /** Where the store is. */
  readonly root: string
  /** Where an object is or would be. Read-only for everyone. */
  path(object: Digest): string
  /** Whether an object is there, untouched since it was put and, where the size in bytes is known, of that size. */
  has(object: Digest, size?: number): boolean
  /** Bytes by their own digest. */
  putBytes(bytes: Uint8Array | string): Promise<Digest>
  /**
   * Moves a file that `scratch` holds into the store. The digest is what the caller computed while writing it; the file
   * becomes read-only.
   */
  adopt(file: string, object: Digest): Promise<void>
  /** What an earlier run of a derivation left, if all of it is still whole. */
  output(derivation: Digest): Output | undefined
  record(derivation: Digest, output: Output): Promise<void>
  /** A new empty directory on the store's file system, removed with everything in it when `use` ends. */
  scratch<T>(name: string, use: (directory: string) => Promise<T>): Promise<T>
}
