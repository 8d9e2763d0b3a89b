/** Random access to the bytes of a disk or partition. Reads past the end return zeros. */
export interface BlockSource {
  /** The size in bytes. */
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
