import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** The answer to a path: bytes, with support for range requests, or a function that answers. */
export type Content = Uint8Array | Handler
export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface FileServer {
  readonly url: string
  /** Path without the first slash -> content. Other paths answer 404. */
  readonly files: Map<string, Content>
  /** `PATH` or `PATH bytes=N-` for each request, in order. */
  readonly requests: string[]
}

/** Starts a web server on loopback that stops when the test ends. */
export async function fileServer(files: Iterable<readonly [string, Content]> = []): Promise<FileServer> {
  const served = new Map(files)
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').slice(1))
    const { range } = request.headers
    requests.push(range === undefined ? path : `${path} ${range}`)
    const content = served.get(path)
    if (content === undefined) response.writeHead(404).end('not here')
    else if (typeof content === 'function') content(request, response)
    else sendBytes(content, range, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, files: served, requests }
}

export function sendBytes(bytes: Uint8Array, range: string | undefined, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  const headers = { 'content-length': bytes.length - from }
  if (range === undefined) response.writeHead(200, headers)
  else response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
  response.end(bytes.subarray(from))
}

/** Sends the first bytes, waits until the client has read them, and closes the connection. */
export function breakingAfter(count: number, bytes: Uint8Array): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, count), () => setTimeout(() => response.destroy(), 100))
  }
}

/** Sends the first bytes, and then nothing more on an open connection. */
export function stallingAfter(count: number, bytes: Uint8Array): Handler {
  return (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, count))
  }
}
