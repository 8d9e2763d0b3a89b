import type { Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'

/** The store: objects by content digest, and outputs by derivation digest. Readers never find an incomplete object. */
export interface Store {
  /** The directory of the store. */
  readonly root: string
  /** The path of an object, even if the object does not exist. Objects are read-only. */
  path(object: Digest): string
  /**
   * Whether an object exists, has the given size in bytes, and is unmodified by its modification time. Does not read
   * the content.
   */
  has(object: Digest, size?: number): boolean
  /** Adds bytes, and returns their digest. */
  putBytes(bytes: Uint8Array | string): Promise<Digest>
  /**
   * Moves a file from a scratch directory into the store, and makes it read-only. The caller computed the digest while it
   * wrote the file.
   */
  adopt(file: string, object: Digest): Promise<void>
  /** The output of an earlier run of a derivation; undefined if the store lacks the output or one of its objects. */
  output(derivation: Digest): Output | undefined
  record(derivation: Digest, output: Output): Promise<void>
  /** Gives `use` a new empty directory on the file system of the store, and removes the directory afterwards. */
  scratch<T>(name: string, use: (directory: string) => Promise<T>): Promise<T>
}
