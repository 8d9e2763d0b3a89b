import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The direction of bytes, as the client sees it. */
export type Direction = 'up' | 'down'

export interface CuttingProxy {
  readonly port: number
  /** Bytes that passed so far. */
  readonly bytes: Record<Direction, number>
  /** How many connections the proxy has cut. */
  cuts: number
  /** Cuts the connection after the given number of bytes, and repeats that `times` times. */
  cutAfter(direction: Direction, bytes: number, times?: number): void
}

/** A proxy for a port on loopback that counts bytes and can cut connections. */
export async function cuttingProxy(target: number): Promise<CuttingProxy> {
  const plan = { direction: 'up' as Direction, bytes: 0, left: 0, times: 0 }
  const proxy: CuttingProxy = {
    port: 0,
    bytes: { up: 0, down: 0 },
    cuts: 0,
    cutAfter: (direction, bytes, times = 1) => void Object.assign(plan, { direction, bytes, left: bytes, times }),
  }
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket, direction: Direction) => {
    from.on('data', (piece: Buffer) => {
      const isPlanned = plan.times > 0 && plan.direction === direction
      const count = isPlanned ? Math.min(piece.length, plan.left) : piece.length
      proxy.bytes[direction] += count
      if (isPlanned) plan.left -= count
      const isCut = isPlanned && plan.left === 0
      if (!to.write(piece.subarray(0, count), () => isCut && cut(from, to)) && !isCut) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
  const cut = (...both: Socket[]) => {
    plan.times -= 1
    plan.left = plan.bytes
    proxy.cuts += 1
    for (const socket of both) socket.destroy()
  }
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket)
    pass(client, upstream, 'up')
    pass(upstream, client, 'down')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port })
}
