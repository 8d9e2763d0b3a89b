import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ProxyServer {
  readonly port: number
  /** `METHOD TARGET` for each request, with ` as LOGIN` if it had credentials. */
  readonly requests: string[]
}

/**
 * A proxy on loopback. It answers http requests itself, and leads each tunnel to the port `tunnel`, or refuses it with a
 * status.
 */
export async function proxyServer(tunnel?: number, refusal = '403 Forbidden'): Promise<ProxyServer> {
  const requests: string[] = []
  const note = ({ method, url, headers }: IncomingMessage) => {
    const [, login] = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '') ?? []
    requests.push(`${method} ${url}${login === undefined ? '' : ` as ${Buffer.from(login, 'base64')}`}`)
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    note(request)
    response.end(`proxied for ${request.headers.host}`)
  })
  const sockets = new Set<Socket>()
  server.on('connect', (request, socket: Socket) => {
    note(request)
    sockets.add(socket)
    socket.on('error', () => undefined)
    if (tunnel === undefined) return void socket.end(`HTTP/1.1 ${refusal}\r\n\r\n`)
    const other = connect(tunnel, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(other).pipe(socket)
    })
    sockets.add(other)
    other.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests }
}
