import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { encodeFrame, FrameReader, type ZigateFrame } from './zigate-frame.ts'

// The part of the ZiGate protocol that Zigbee2MQTT needs to start: the coordinator stores the network of a command, and describes
// itself. It has no radio and no devices.

/** Commands, and the types of their answers. */
const COMMAND = {
  networkState: 0x0009,
  version: 0x0010,
  reset: 0x0011,
  extendedPanId: 0x0020,
  channelMask: 0x0021,
  networkKey: 0x0022,
  startNetwork: 0x0024,
  describeEndpoint: 0x0043,
  listEndpoints: 0x0045,
} as const
const ANSWER = { status: 0x8000, zdo: 0x8002, restarted: 0x8006, networkState: 0x8009, version: 0x8010, joined: 0x8024 }
const ZDO_ANSWER = { describeEndpoint: 0x8004, listEndpoints: 0x8005 }

const ADDRESS = Buffer.from('00158d0001020304', 'hex')
const HOME_AUTOMATION = 0x0104
/** The quality of the link, which the firmware adds to each answer. */
const LINK_QUALITY = 0xff

/** The network that the coordinator was told to form. */
export interface FormedNetwork {
  readonly networkKey: Buffer
  readonly extendedPanId: Buffer
  readonly channel: number
}

export interface ZigateCoordinator {
  readonly port: number
  /** The network of the last start; undefined before the first. */
  network(): FormedNetwork | undefined
  /** Errors of the protocol so far. */
  readonly errors: readonly Error[]
  stop(): Promise<void>
}

/** Starts a coordinator on loopback, at `port` or at a free one. */
export async function zigateCoordinator(port = 0): Promise<ZigateCoordinator> {
  const radio = new Radio()
  const errors: Error[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const reader = new FrameReader()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      try {
        for (const frame of reader.read(bytes))
          for (const answer of radio.answers(frame)) socket.write(encodeFrame(answer))
      } catch (error) {
        errors.push(error as Error)
        socket.destroy()
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the coordinator has no port')
  return {
    port: address.port,
    network: () => radio.formed,
    errors,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

class Radio {
  formed: FormedNetwork | undefined
  private told: FormedNetwork = { networkKey: Buffer.alloc(16), extendedPanId: Buffer.alloc(8), channel: 11 }
  private sequence = 0

  answers({ type, payload }: ZigateFrame): ZigateFrame[] {
    if (type === COMMAND.reset) return [answer(ANSWER.restarted, [0])]
    const status = answer(ANSWER.status, [0, this.sequence++ & 0xff, ...u16(type)])
    return [status, ...this.effect(type, payload)]
  }

  private effect(type: number, payload: Buffer): ZigateFrame[] {
    const { told } = this
    switch (type) {
      case COMMAND.networkKey:
        this.told = { ...told, networkKey: payload.subarray(1) }
        return []
      case COMMAND.extendedPanId:
        this.told = { ...told, extendedPanId: payload }
        return []
      case COMMAND.channelMask:
        this.told = { ...told, channel: 31 - Math.clz32(payload.readUInt32BE(0)) }
        return []
      case COMMAND.startNetwork:
        this.formed = told
        return [answer(ANSWER.joined, [1, ...u16(0), ...ADDRESS, told.channel])]
      case COMMAND.networkState:
        return [answer(ANSWER.networkState, [...u16(0), ...ADDRESS, ...u16(1), ...told.extendedPanId, told.channel])]
      case COMMAND.version:
        return [answer(ANSWER.version, [...u16(5), ...u16(0x0321)])]
      case COMMAND.listEndpoints:
        return [zdoAnswer(ZDO_ANSWER.listEndpoints, [1, 1])]
      case COMMAND.describeEndpoint:
        return [zdoAnswer(ZDO_ANSWER.describeEndpoint, endpoint(1))]
      default:
        return []
    }
  }
}

function answer(type: number, payload: readonly number[]): ZigateFrame {
  return { type, payload: Buffer.from([...payload, LINK_QUALITY]) }
}

/** An answer of the coordinator to itself: it has the network address 0. */
function zdoAnswer(cluster: number, content: readonly number[]): ZigateFrame {
  const addresses = [0, 0, 2, ...u16(0), 2, ...u16(0)]
  const [sequence, success] = [1, 0]
  return answer(ANSWER.zdo, [0, ...u16(0), ...u16(cluster), ...addresses, sequence, success, ...u16(0), ...content])
}

/** The simple descriptor of an endpoint without clusters, after its length. ZDO has the low byte first. */
function endpoint(number: number): number[] {
  const profile = [HOME_AUTOMATION & 0xff, HOME_AUTOMATION >> 8]
  const descriptor = [number, ...profile, 5, 0, 0, 0, 0]
  return [descriptor.length, ...descriptor]
}

function u16(value: number): [number, number] {
  return [value >> 8, value & 0xff]
}
