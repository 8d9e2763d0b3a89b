import http from 'node:http'
import https from 'node:https'

/** Why a server did not give a file. `absent` is its own word for it; everything else may be different next time. */
export class TransferError extends Error {
  readonly kind: 'absent' | 'refused' | 'unreachable' | 'broken' | 'slow'
  /** The status that the server answered with, where it did. */
  readonly status: number | undefined

  constructor(kind: TransferError['kind'], message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.name = 'TransferError'
    this.kind = kind
    this.status = options.status
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

/** Something else than a GET: another method, and what is sent along. */
export interface Exchange extends Request {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT'
  readonly content?: Content
}

export interface Content {
  /** Bytes. */
  readonly size: number
  readonly pieces: AsyncIterable<Uint8Array>
}

const REDIRECTS = 5
const agents = {
  'http:': new http.Agent({ keepAlive: true, scheduling: 'fifo' }),
  'https:': new https.Agent({ keepAlive: true, scheduling: 'fifo' }),
}

/** The answer to a GET, its body yet to be read; status 200 or 206. Throws TransferError for all others. */
export async function get(url: string, request: Request): Promise<http.IncomingMessage> {
  const response = await follow(url, request)
  const status = response.statusCode ?? 0
  if (status === 200 || status === 206) return response
  response.resume()
  throw statusError(status)
}

/** The answer, whatever it is, at the end of all redirections. Another server is not told who asks. */
export async function follow(url: string, request: Exchange): Promise<http.IncomingMessage> {
  let at = new URL(url)
  let { authorization, ...headers }: Record<string, string> = { ...request.headers }
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const own = authorization === undefined ? {} : { authorization }
    const response = await exchange(at, { ...request, headers: { ...headers, ...own } })
    const { statusCode: status = 0, headers: answered } = response
    if (status < 300 || status >= 400 || answered.location === undefined) return response
    response.resume()
    const next = new URL(answered.location, at)
    if (next.origin !== at.origin) authorization = undefined
    at = next
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
  return textOf(await get(url, request), limit, request)
}

/** An answer's body as text; more than `limit` bytes are refused. */
export async function textOf(response: http.IncomingMessage, limit: number, request: Request): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body(response, request)) {
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
    if (arrived < patience.bytes) response.destroy(slow(arrived, patience))
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

/** One request and its answer, whatever its status. Throws TransferError where there is none. */
export function exchange(url: URL, given: Exchange): Promise<http.IncomingMessage> {
  const { headers = {}, method = 'GET', content, patience, signal } = given
  const { protocol } = url
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TransferError('refused', `cannot fetch by '${protocol}'`)
  }
  const module = protocol === 'http:' ? http : https
  const length = content === undefined ? {} : { 'content-length': String(content.size) }
  const options = { agent: agents[protocol], method, headers: { ...headers, ...length }, ...(signal && { signal }) }
  return new Promise((resolve, reject) => {
    const answered = new AbortController()
    const request = module.request(url, options, (response) => {
      answered.abort()
      // What has not been sent by now is not wanted, and the connection is of no more use.
      response.once('end', () => request.writableEnded || request.destroy())
      resolve(response)
    })
    request.on('error', (error) => {
      answered.abort()
      reject(transferError(error, 'unreachable', signal))
    })
    const sent = content === undefined ? Promise.resolve() : sendContent(request, content, patience, answered.signal)
    // What cannot be read here is no fault of the server's.
    const unreadable = (error: unknown) => {
      reject(error)
      request.destroy()
    }
    sent.then(() => {
      if (answered.signal.aborted) return
      request.end()
      waitForAnswer(request, patience, answered.signal)
    }, unreadable)
  })
}

/** Ends early, without a failure, where the server wants no more: the answer says why. */
async function sendContent(
  request: http.ClientRequest,
  { pieces }: Content,
  patience: Patience,
  answered: AbortSignal,
): Promise<void> {
  let [sent, before] = [0, 0]
  const timer = setInterval(() => {
    if (sent - before < patience.bytes) request.destroy(slow(sent - before, patience))
    before = sent
  }, patience.window)
  const over = new Promise<void>((resolve) => {
    request.once('close', resolve)
    answered.addEventListener('abort', () => resolve())
  })
  try {
    for await (const piece of pieces) {
      if (request.destroyed || answered.aborted) return
      if (!request.write(piece)) await Promise.race([over, new Promise<void>((go) => request.once('drain', go))])
      sent += piece.length
    }
  } finally {
    clearInterval(timer)
  }
}

function waitForAnswer(request: http.ClientRequest, { answer }: Patience, answered: AbortSignal): void {
  const late = () => request.destroy(new TransferError('unreachable', `no answer in ${answer / 1000} s`))
  const timer = setTimeout(late, answer)
  answered.addEventListener('abort', () => clearTimeout(timer))
}

function slow(arrived: number, { window }: Patience): TransferError {
  return new TransferError('slow', `${arrived} bytes in ${window / 1000} s`)
}

/** What a status that is not the hoped for says. */
export function statusError(status: number): TransferError {
  const text = `HTTP ${status} ${http.STATUS_CODES[status] ?? ''}`.trimEnd()
  if (status === 404 || status === 410) return new TransferError('absent', text, { status })
  return new TransferError(status >= 500 || status === 429 ? 'broken' : 'refused', text, { status })
}

function transferError(error: unknown, kind: TransferError['kind'], signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof TransferError) return error
  const { code, message } = error as NodeJS.ErrnoException
  // A kept connection that the server closed in between says nothing about the server.
  const stale = code === 'ECONNRESET' || code === 'EPIPE'
  return new TransferError(stale ? 'broken' : kind, message || code || String(error), { cause: error })
}
