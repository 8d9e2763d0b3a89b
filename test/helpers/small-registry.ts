import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { digestOf } from '../../images/digest.ts'

export interface SmallRegistry {
  readonly port: number
  readonly blobs: Map<string, Buffer>
  /** `METHOD path` of each request, without random ids. */
  readonly requests: string[]
  /** Receives each request first; returns true if it has answered the request. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
}

/**
 * A registry in memory. Unlike Debian's docker-registry it keeps a partial upload when the connection breaks, as the OCI
 * distribution specification allows.
 */
export async function smallRegistry(address = '127.0.0.1'): Promise<SmallRegistry> {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  const uploads = new Map<string, Buffer>()
  /** Upload -> ends when every byte of the last request is stored. */
  const receiving = new Map<string, Promise<void>>()
  const registry: SmallRegistry = { port: 0, blobs, requests: [], intercept: () => false }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    registry.requests.push(
      `${request.method} ${url.pathname.replace(/^\/v2\/[^/]+\//, '').replace(/uploads\/.+/, 'uploads/ID')}`,
    )
    if (!registry.intercept(request, response)) void answer(request, response, url)
  })
  const answer = async (request: IncomingMessage, response: ServerResponse, { pathname, searchParams }: URL) => {
    const [kind = '', reference = '', id = ''] = pathname.split('/').slice(3)
    const end = (status: number, headers: Record<string, string> = {}, bytes?: Buffer) =>
      void response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : bytes)
    if (kind === 'blobs' && reference === 'uploads') {
      const key = request.method === 'POST' ? randomUUID() : id
      await receiving.get(key)
      const known = request.method === 'POST' ? Buffer.alloc(0) : uploads.get(key)
      if (known === undefined) return end(404)
      const from = Number(/^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? known.length)
      if (request.method === 'PATCH' && from !== known.length) return end(416)
      uploads.set(key, known)
      const all = receive(request, (piece) => uploads.set(key, Buffer.concat([uploads.get(key) ?? piece, piece])))
      receiving.set(key, all)
      await all
      const bytes = uploads.get(key) ?? known
      const state = { location: pathname.replace(id, '') + key, range: `0-${Math.max(0, bytes.length - 1)}` }
      if (request.method !== 'PUT') return end(request.method === 'GET' ? 204 : 202, state)
      uploads.delete(key)
      const digest = searchParams.get('digest') ?? ''
      if (digest !== `sha256:${digestOf(bytes)}`) return end(400)
      blobs.set(digest, bytes)
      return end(201)
    }
    const kept = kind === 'blobs' ? blobs : manifests
    if (request.method === 'PUT') {
      let bytes = Buffer.alloc(0)
      await receive(request, (piece) => (bytes = Buffer.concat([bytes, piece])))
      for (const name of [reference, `sha256:${digestOf(bytes)}`]) manifests.set(name, bytes)
      return end(201)
    }
    const found = kept.get(reference)
    if (found === undefined) return end(404)
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const range = { 'content-range': `bytes ${first}-${found.length - 1}/${found.length}` }
    const length = { 'content-length': String(found.length - first) }
    end(first === 0 ? 200 : 206, first === 0 ? length : { ...length, ...range }, found.subarray(first))
  }
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(registry, { port: (server.address() as AddressInfo).port })
}

/** Reads a body until its end, or until the connection breaks. */
async function receive(request: IncomingMessage, use: (piece: Buffer) => void): Promise<void> {
  try {
    for await (const piece of request) use(piece as Buffer)
  } catch {
    // The connection broke; the registry keeps the bytes received so far.
  }
}
