import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { randomFrom } from '../power-cut/random.ts'
import { zigateCoordinator } from './zigate-coordinator.ts'
import { encodeFrame, FrameReader, type ZigateFrame } from './zigate-frame.ts'

describe('a frame of the ZiGate protocol', () => {
  // The version request of the manufacturer's documentation.
  it('has the bytes of the documentation', () => {
    expect(encodeFrame({ type: 0x0010, payload: Buffer.alloc(0) }).toString('hex')).toBe('0102101002100210' + '1003')
  })

  it('arrives as it was sent, in any pieces', () => {
    const next = randomFrom(1, 0)
    const random = (below: number) => Math.floor(next() * below)
    for (let round = 0; round < 200; round++) {
      const frames = Array.from(
        { length: 3 },
        (): ZigateFrame => ({
          type: random(0x10000),
          payload: Buffer.from(Array.from({ length: random(40) }, () => random(256))),
        }),
      )
      const reader = new FrameReader()
      const bytes = Buffer.concat(frames.map(encodeFrame))
      const cut = random(bytes.length)
      expect([...reader.read(bytes.subarray(0, cut)), ...reader.read(bytes.subarray(cut))]).toEqual(frames)
    }
  })

  it.each(['0210', '01021010', '01021010021002101103', '01021010021002121003'])(
    'is refused if it is damaged: %s',
    (hex) => {
      expect(() => new FrameReader().read(Buffer.from(`${hex}03`, 'hex'))).toThrow(/a frame/)
    },
  )
})

describe('the coordinator for tests', () => {
  it('forms the network that it was told, and describes it', async () => {
    const coordinator = await zigateCoordinator()
    onTestFinished(() => coordinator.stop())
    const client = await connected(coordinator.port)
    const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
    const extendedPanId = Buffer.from('dddddddddddddd01', 'hex')
    client.send(0x0021, [0, 1 << 4, 0, 0])
    client.send(0x0022, [1, ...key])
    client.send(0x0020, [...extendedPanId])
    expect(coordinator.network()).toBeUndefined()
    client.send(0x0024, [])
    await client.answer(0x8024)
    expect(coordinator.network()).toEqual({ networkKey: key, extendedPanId, channel: 20 })
    client.send(0x0009, [])
    const { payload } = await client.answer(0x8009)
    expect(payload.subarray(12, 21)).toEqual(Buffer.from([...extendedPanId, 20]))
    expect(coordinator.errors).toEqual([])
  })

  it('confirms each command, and ends the connection after a damaged one', async () => {
    const coordinator = await zigateCoordinator()
    onTestFinished(() => coordinator.stop())
    const client = await connected(coordinator.port)
    client.send(0x0049, [0xff, 0xfc, 0, 1])
    expect((await client.answer(0x8000)).payload.subarray(0, 4)).toEqual(Buffer.from([0, 0, 0x00, 0x49]))
    client.socket.write(Buffer.from([1, 0x20, 3]))
    await once(client.socket, 'close')
    expect(coordinator.errors.map(({ message }) => message)).toEqual(['a frame has the wrong length: 0120'])
  })
})

async function connected(port: number) {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  const reader = new FrameReader()
  const arrived: ZigateFrame[] = []
  socket.on('data', (bytes) => arrived.push(...reader.read(bytes)))
  return {
    socket,
    send: (type: number, payload: readonly number[]) =>
      void socket.write(encodeFrame({ type, payload: Buffer.from(payload) })),
    answer: async (type: number): Promise<ZigateFrame> => {
      for (;;) {
        const found = arrived.find((each) => each.type === type)
        if (found !== undefined) return found
        await once(socket, 'data')
      }
    },
  }
}
