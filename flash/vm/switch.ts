import { createServer, type Server, type Socket } from 'node:net'
import { type Frame, frameReader } from './frames.ts'

/** A port of the switch: QEMU connects to its Unix socket, and connects again after a reset of the machine. */
export interface PortOptions {
  readonly socket: string
  /** The addresses behind the port; `others`: every address that is behind no other port. */
  readonly addresses: readonly string[] | 'others'
}

export interface Switch {
  /** Waits until QEMU has connected to every port with the addresses `others`. */
  readonly connected: Promise<void>
  close(): void
}

/** More bytes than TCP has in flight between two machines. A machine that takes none for a while loses frames, as on a cable. */
const QUEUE = 4 * 2 ** 20

/**
 * Starts an Ethernet switch. It sends a frame for one host to this host only: QEMU's user network answers every IP packet
 * that it receives, also in the name of another machine.
 */
export async function startSwitch(options: readonly PortOptions[]): Promise<Switch> {
  const ports = options.map((each) => new Port(each))
  const forward = (from: Port) => (frame: Frame) => {
    for (const port of receivers(ports, from, frame)) port.send(frame)
  }
  try {
    await Promise.all(ports.map((port) => port.listen(forward(port))))
  } catch (error) {
    for (const port of ports) port.close()
    throw error
  }
  const uplinks = ports.filter(({ addresses }) => addresses === 'others')
  return {
    connected: Promise.all(uplinks.map(({ connected }) => connected)).then(() => undefined),
    close: () => {
      for (const port of ports) port.close()
    },
  }
}

function receivers(ports: readonly Port[], from: Port, { to, isGroup }: Frame): readonly Port[] {
  if (isGroup) return ports.filter((port) => port !== from)
  const owner = ports.find(({ addresses }) => addresses.includes(to))
  const others = ports.filter(({ addresses }) => addresses === 'others')
  return (owner === undefined ? others : [owner]).filter((port) => port !== from)
}

class Port {
  readonly addresses: PortOptions['addresses']
  readonly connected: Promise<void>
  private readonly socket: string
  private readonly server: Server
  private connection: Socket | undefined
  private take: (frame: Frame) => void = () => undefined

  constructor({ socket, addresses }: PortOptions) {
    this.socket = socket
    this.addresses = addresses
    this.server = createServer((connection) => this.connect(connection))
    this.connected = new Promise((resolve) => this.server.once('connection', () => resolve()))
  }

  listen(take: (frame: Frame) => void): Promise<void> {
    this.take = take
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(this.socket, resolve)
    })
  }

  send({ bytes }: Frame): void {
    const { connection } = this
    if (connection !== undefined && connection.writableLength < QUEUE) connection.write(bytes)
  }

  close(): void {
    this.server.close()
    this.connection?.destroy()
  }

  private connect(connection: Socket): void {
    // The end of the last connection may still be on its way.
    this.connection?.destroy()
    this.connection = connection
    const read = frameReader(this.take)
    connection.on('error', () => undefined)
    connection.on('data', (bytes) => {
      try {
        read(bytes)
      } catch (error) {
        connection.destroy(error as Error)
      }
    })
    connection.once('close', () => {
      if (this.connection === connection) this.connection = undefined
    })
  }
}
