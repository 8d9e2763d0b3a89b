/** Random access to a disk's or partition's bytes. Reading past the end gives zeros. */
export interface BlockSource {
  /** Bytes. */
  readonly size: number
  read(offset: number, length: number): Uint8Array
}

export function blockSourceOf(bytes: Uint8Array): BlockSource {
  return {
    size: bytes.length,
    read(offset, length) {
      const out = new Uint8Array(length)
      out.set(bytes.subarray(offset, offset + length))
      return out
    },
  }
}
