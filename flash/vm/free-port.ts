import { createServer } from 'node:net'
import { UserError } from '../../errors.ts'

const ATTEMPTS = 100

/** The first free port on this machine's loopback at or after `from`, without the ports in `taken`. */
export async function freePort(from: number, taken: ReadonlySet<number>): Promise<number> {
  for (let port = from; port < Math.min(from + ATTEMPTS, 65536); port++) {
    if (!taken.has(port) && (await canListen(port))) return port
  }
  throw new UserError('vm', `no free port from ${from} to ${from + ATTEMPTS - 1} on 127.0.0.1`, {
    hint: 'stop the programs that listen on these ports: ss -ltnp',
  })
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
