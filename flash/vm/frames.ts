/** QEMU writes the length of a frame before its bytes, as a big-endian number of 32 bits. */
const PREFIX = 4
/** The largest frame that QEMU sends. */
const LARGEST = 4096 + 65_536
/** The addresses of destination and source, and the type of the content. */
const HEADER = 14

/** A frame as it was received: the length, and then the bytes. */
export interface Frame {
  readonly bytes: Buffer
  /** The address of the destination: `52:54:1f:00:9a:33`. */
  readonly to: string
  readonly isGroup: boolean
}

/** Splits a stream into frames. Returns a function that takes the next bytes, and throws an error for an impossible length. */
export function frameReader(onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= PREFIX) {
      const length = rest.readUInt32BE()
      if (length > LARGEST) throw new Error(`a frame of ${length} bytes is larger than any frame of QEMU`)
      if (rest.length < PREFIX + length) return
      if (length >= HEADER) onFrame(frameOf(rest.subarray(0, PREFIX + length)))
      rest = rest.subarray(PREFIX + length)
    }
  }
}

function frameOf(bytes: Buffer): Frame {
  const to = bytes.subarray(PREFIX, PREFIX + 6)
  // The last bit of the first octet marks broadcast and multicast.
  return { bytes, to: to.toString('hex').match(/../g)?.join(':') ?? '', isGroup: ((to[0] ?? 0) & 1) === 1 }
}
