import http from 'node:http'
import https from 'node:https'

/** Why a server did not give a file. `absent` is its own word for it; everything else may be different next time. */
export class TransferError extends Error {
  readonly kind: 'absent' | 'refused' | 'unreachable' | 'broken' | 'slow'

  constructor(kind: TransferError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TransferError'
    this.kind = kind
  }
}

export interface Patience {
  /** Milliseconds until a server has to begin its answer. */
  readonly answer: number
  /** Milliseconds in which at least `bytes` have to arrive. */
  readonly window: number
  readonly bytes: number
}

/** A server that a person would not wait for either. */
export const PATIENCE: Patience = { answer: 15_000, window: 15_000, bytes: 16 * 1024 }

export interface Request {
  readonly headers?: Readonly<Record<string, string>>
  readonly patience: Patience
  readonly signal?: AbortSignal | undefined
}

const REDIRECTS = 5
const agents = {
  'http:': new http.Agent({ keepAlive: true, scheduling: 'fifo' }),
  'https:': new https.Agent({ keepAlive: true, scheduling: 'fifo' }),
}

/** The answer to a GET, its body yet to be read; status 200 or 206. Throws TransferError for all others. */
export async function get(url: string, request: Request): Promise<http.IncomingMessage> {
  let at = new URL(url)
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const response = await getOnce(at, request)
    const status = response.statusCode ?? 0
    if (status === 200 || status === 206) return response
    response.resume()
    const location = response.headers.location
    if (status < 300 || status >= 400 || location === undefined) throw statusError(status)
    at = new URL(location, at)
  }
  throw new TransferError('refused', `redirected more than ${REDIRECTS} times`)
}

/** A small text; more than `limit` bytes are refused. A transfer that breaks off is begun once more. */
export async function getText(url: string, limit: number, request: Request): Promise<string> {
  try {
    return await getTextOnce(url, limit, request)
  } catch (error) {
    if (!(error instanceof TransferError && error.kind === 'broken')) throw error
    return getTextOnce(url, limit, request)
  }
}

async function getTextOnce(url: string, limit: number, request: Request): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body(await get(url, request), request)) {
    size += piece.length
    if (size > limit) throw new TransferError('refused', `longer than ${limit} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** The bytes of an answer, ended by a TransferError when they come too slowly or stop before the end. */
export async function* body(response: http.IncomingMessage, { patience, signal }: Request): AsyncGenerator<Buffer> {
  let received = 0
  let before = 0
  const timer = setInterval(() => {
    const arrived = received - before
    if (arrived < patience.bytes) {
      response.destroy(new TransferError('slow', `${arrived} bytes in ${patience.window / 1000} s`))
    }
    before = received
  }, patience.window)
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      received += piece.length
      yield piece
    }
  } catch (error) {
    throw transferError(error, 'broken', signal)
  } finally {
    clearInterval(timer)
    response.destroy()
  }
}

function getOnce(url: URL, { headers = {}, patience, signal }: Request): Promise<http.IncomingMessage> {
  const { protocol } = url
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TransferError('refused', `cannot fetch by '${protocol}'`)
  }
  const module = protocol === 'http:' ? http : https
  const options = { agent: agents[protocol], headers, ...(signal === undefined ? {} : { signal }) }
  return new Promise((resolve, reject) => {
    const request = module.get(url, options, (response) => {
      clearTimeout(timer)
      resolve(response)
    })
    const timer = setTimeout(() => {
      request.destroy(new TransferError('unreachable', `no answer in ${patience.answer / 1000} s`))
    }, patience.answer)
    request.once('error', (error) => {
      clearTimeout(timer)
      reject(transferError(error, 'unreachable', signal))
    })
  })
}

function statusError(status: number): TransferError {
  const text = `HTTP ${status} ${http.STATUS_CODES[status] ?? ''}`.trimEnd()
  if (status === 404 || status === 410) return new TransferError('absent', text)
  return new TransferError(status >= 500 || status === 429 ? 'broken' : 'refused', text)
}

function transferError(error: unknown, kind: TransferError['kind'], signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof TransferError) return error
  const { code, message } = error as NodeJS.ErrnoException
  // A kept connection that the server closed in between says nothing about the server.
  const stale = code === 'ECONNRESET' || code === 'EPIPE'
  return new TransferError(stale ? 'broken' : kind, message || code || String(error), { cause: error })
}
