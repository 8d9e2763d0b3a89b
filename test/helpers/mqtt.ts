import type { Socket } from 'node:net'
import { connect } from 'node:tls'

// The part of MQTT 3.1.1 (OASIS standard) that one round trip needs: connect, subscribe, publish with QoS 0.

const CONNECT = 0x10
const CONNACK = 2
const PUBLISH = 3
const SUBSCRIBE = 0x82
const SUBACK = 9
const KEEP_ALIVE = 60

export interface MqttClient {
  /** Resolves when the broker has acknowledged the packet. */
  subscribe(topic: string): Promise<void>
  publish(topic: string, message: string): void
  /** The next message of any subscription. */
  next(): Promise<{ topic: string; message: string }>
  close(): void
}

/** The certificates of a client, in PEM, and the name that the broker's certificate must have. */
export interface ClientTls {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
  readonly servername: string
}

export interface MqttOptions {
  readonly port: number
  /** The client's id: one connection for each id. */
  readonly id: string
  readonly tls: ClientTls
  /** The time to wait for each packet, in seconds. */
  readonly seconds?: number
}

interface Packet {
  readonly type: number
  readonly body: Buffer
}

/** Connects over TLS, without a user name. Rejects with the broker's return code or TLS alert if the broker refuses. */
export async function mqttClient({ port, id, tls, seconds = 20 }: MqttOptions): Promise<MqttClient> {
  const socket = connect({ host: '127.0.0.1', port, ...tls })
  const packets = new PacketQueue(socket, seconds)
  const protocol = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, KEEP_ALIVE])
  socket.write(packet(CONNECT, protocol, text(id)))
  const { body } = await packets.next(CONNACK)
  if (body[1] !== 0) throw new Error(`the broker refused the connection: code ${body[1]}`)
  return {
    subscribe: async (topic) => {
      socket.write(packet(SUBSCRIBE, Buffer.from([0, 1]), text(topic), Buffer.from([0])))
      const acknowledged = await packets.next(SUBACK)
      if (acknowledged.body[2] !== 0) throw new Error(`the broker refused the subscription to '${topic}'`)
    },
    publish: (topic, message) => {
      socket.write(packet(PUBLISH << 4, text(topic), Buffer.from(message)))
    },
    next: async () => {
      const published = await packets.next(PUBLISH)
      const length = published.body.readUInt16BE(0)
      return {
        topic: published.body.toString('utf8', 2, 2 + length),
        message: published.body.toString('utf8', 2 + length),
      }
    },
    close: () => socket.destroy(),
  }
}

/** Packets in the order of arrival. A call that waits for one type skips no packet that another call waits for. */
class PacketQueue {
  private readonly waiting: Packet[] = []
  private readonly wake = new Set<() => void>()
  private readonly seconds: number
  private rest: Buffer = Buffer.alloc(0)
  private failure: Error | undefined

  constructor(socket: Socket, seconds: number) {
    this.seconds = seconds
    socket.on('data', (bytes) => this.take(bytes))
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.fail(new Error('the broker closed the connection')))
  }

  next(type: number): Promise<Packet> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(new Error(`no MQTT packet of type ${type} within ${this.seconds} s`)),
        this.seconds * 1000,
      )
      const look = () => {
        const index = this.waiting.findIndex((each) => each.type === type)
        if (index < 0 && this.failure === undefined) return
        clearTimeout(timer)
        this.wake.delete(look)
        const [found] = index < 0 ? [] : this.waiting.splice(index, 1)
        if (found === undefined) reject(this.failure)
        else resolve(found)
      }
      this.wake.add(look)
      look()
    })
  }

  private take(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes])
    for (let taken = takePacket(this.rest); taken !== undefined; taken = takePacket(this.rest)) {
      this.waiting.push(taken.packet)
      this.rest = this.rest.subarray(taken.length)
    }
    for (const look of [...this.wake]) look()
  }

  private fail(error: Error): void {
    this.failure ??= error
    for (const look of [...this.wake]) look()
  }
}

function takePacket(bytes: Buffer): { packet: Packet; length: number } | undefined {
  let size = 0
  for (let at = 1; at < Math.min(5, bytes.length); at++) {
    const byte = bytes[at] ?? 0
    size += (byte & 0x7f) * 128 ** (at - 1)
    if (byte < 0x80) {
      const length = at + 1 + size
      if (bytes.length < length) return undefined
      return { packet: { type: (bytes[0] ?? 0) >> 4, body: bytes.subarray(at + 1, length) }, length }
    }
  }
  return undefined
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const size: number[] = []
  let rest = body.length
  do {
    size.push((rest % 128) + (rest > 127 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from([first, ...size]), body])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
