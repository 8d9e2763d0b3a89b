import type { Output } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'

/** Objects by content digest, and outputs by derivation digest. Readers never find an object that is only partly written. */
export interface Store {
  /** The directory of the store. */
  readonly root: string
  /** The path of an object, whether it exists or not. Objects are read-only. */
  path(object: Digest): string
  /** Whether an object exists, has the given size in bytes, and no program wrote to it. Does not read its content. */
  has(object: Digest, size?: number): boolean
  /** Adds bytes, and returns their digest. */
  putBytes(bytes: Uint8Array | string): Promise<Digest>
  /**
   * Moves a file from a scratch directory into the store, and makes it read-only. The caller computed the digest while it
   * wrote the file.
   */
  adopt(file: string, object: Digest): Promise<void>
  /** The output of an earlier run of a derivation; undefined when the store lacks any object of it. */
  output(derivation: Digest): Output | undefined
  record(derivation: Digest, output: Output): Promise<void>
  /** Gives `use` a new empty directory on the file system of the store, and removes the directory afterwards. */
  scratch<T>(name: string, use: (directory: string) => Promise<T>): Promise<T>
}
