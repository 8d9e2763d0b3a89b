import { connect } from 'node:net'

/** A frame with these addresses. The content is any text. */
export function frame(to: string, from: string, content: string): Buffer {
  const address = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex')
  return Buffer.concat([address(to), address(from), Buffer.from([0x88, 0xb5]), Buffer.from(content)])
}

/** The frame as QEMU sends it: the length, and then the bytes. */
export function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A machine on a port of a switch. `received` holds the contents of the frames that arrived. */
export async function station(socket: string) {
  const connection = connect(socket)
  const received: string[] = []
  let rest: Buffer = Buffer.alloc(0)
  connection.on('error', () => undefined)
  connection.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE()
      received.push(rest.subarray(4 + 14, end).toString())
      rest = rest.subarray(end)
    }
  })
  await new Promise<void>((resolve, reject) => connection.once('connect', resolve).once('error', reject))
  return { connection, received, send: (bytes: Buffer) => connection.write(prefixed(bytes)) }
}
