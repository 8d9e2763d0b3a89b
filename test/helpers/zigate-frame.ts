// Frames of the ZiGate serial protocol: 01, then type (16 bits), length (16 bits), checksum and payload, then 03. A byte below
// 0x10 in between is sent as 02 and the byte xor 0x10, so that 01 and 03 only begin and end frames.

const [BEGIN, ESCAPE, END] = [1, 2, 3]
const FLIP = 0x10
const HEADER = 5

export interface ZigateFrame {
  readonly type: number
  readonly payload: Buffer
}

/** The bytes of a frame. */
export function encodeFrame({ type, payload }: ZigateFrame): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(type, 0)
  header.writeUInt16BE(payload.length, 2)
  header.writeUInt8(checksum(header, payload), 4)
  const escaped = [...header, ...payload].flatMap((byte) => (byte < FLIP ? [ESCAPE, byte ^ FLIP] : [byte]))
  return Buffer.from([BEGIN, ...escaped, END])
}

/** Splits a stream into frames. Throws for a frame with a wrong length or checksum. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0)

  read(bytes: Buffer): ZigateFrame[] {
    this.rest = Buffer.concat([this.rest, bytes])
    const frames: ZigateFrame[] = []
    for (let end = this.rest.indexOf(END); end >= 0; end = this.rest.indexOf(END)) {
      frames.push(decodeFrame(this.rest.subarray(0, end)))
      this.rest = this.rest.subarray(end + 1)
    }
    return frames
  }
}

function decodeFrame(bytes: Buffer): ZigateFrame {
  if (bytes[0] !== BEGIN) throw new Error(`a frame begins with ${bytes[0]}, wanted ${BEGIN}`)
  const plain = Buffer.from(unescaped([...bytes.subarray(1)]))
  const [header, payload] = [plain.subarray(0, HEADER), plain.subarray(HEADER)]
  if (header.length < HEADER || header.readUInt16BE(2) !== payload.length)
    throw new Error(`a frame has the wrong length: ${bytes.toString('hex')}`)
  if (checksum(header, payload) !== header[4]) throw new Error(`a frame has a wrong checksum: ${bytes.toString('hex')}`)
  return { type: header.readUInt16BE(0), payload: Buffer.from(payload) }
}

function unescaped(bytes: readonly number[]): number[] {
  const plain: number[] = []
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    plain.push(byte === ESCAPE ? (bytes[++index] ?? 0) ^ FLIP : byte)
  }
  return plain
}

function checksum(header: Buffer, payload: Buffer): number {
  return [...header.subarray(0, 4), ...payload].reduce((sum, byte) => sum ^ byte, 0)
}
