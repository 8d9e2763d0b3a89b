import { Agent, type IncomingMessage, request } from 'node:http'

/** Where a session of Dagger's CLI listens on this machine. */
export interface SessionPort {
  readonly port: number
  readonly token: string
}

export interface SessionFetch {
  readonly fetch: typeof fetch
  /** The number of bytes of all answers. */
  readonly received: () => number
}

/**
 * A `fetch` for the SDK's GraphQL client. `signal` ends every request, which makes the engine stop the work behind it.
 * The `fetch` of Node ends requests after five minutes, and the one of the SDK has no signal.
 */
export function sessionFetch(signal: AbortSignal, heard: () => void): SessionFetch {
  const agent = new Agent({ keepAlive: true })
  signal.addEventListener('abort', () => agent.destroy(), { once: true })
  let received = 0
  const fetch = async (input: string | URL | Request, { method, headers, body }: RequestInit = {}) => {
    const response = await answered(String(input), { method, headers: entriesOf(headers), body: String(body) })
    const pieces: Buffer[] = []
    for await (const piece of response as AsyncIterable<Buffer>) {
      heard()
      received += piece.length
      pieces.push(piece)
    }
    return new Response(Buffer.concat(pieces), {
      status: response.statusCode ?? 500,
      headers: { 'content-type': response.headers['content-type'] ?? '' },
    })
  }
  const answered = (url: string, { method = 'POST', headers, body }: Sent) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(url, { agent, method, headers, signal })
      sent.once('response', resolve).once('error', reject).end(body)
    })
  return { fetch, received: () => received }
}

interface Sent {
  readonly method: string | undefined
  readonly headers: Record<string, string>
  readonly body: string
}

function entriesOf(headers: RequestInit['headers']): Record<string, string> {
  return Object.fromEntries(new Headers(headers))
}
