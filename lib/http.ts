import http from 'node:http'
import https from 'node:https'
import { environmentProxy, ProxyError, type ProxyRule, proxyName, throughProxy } from './proxy.ts'
import { parseRetryAfter } from './retry-after.ts'

/**
 * A failed transfer. `absent` means that the server has no such file, and `refused` that it will not send the file. For all
 * other kinds, a retry may succeed.
 */
export class TransferError extends Error {
  readonly kind: 'absent' | 'refused' | 'unreachable' | 'broken' | 'slow'
  /** The HTTP status of the answer; undefined when there was no answer. */
  readonly status: number | undefined
  /** The wait in milliseconds that the server asked for; undefined when it asked for none. */
  readonly retryAfter: number | undefined

  constructor(kind: TransferError['kind'], message: string, options: TransferErrorOptions = {}) {
    super(message, options)
    this.name = 'TransferError'
    this.kind = kind
    this.status = options.status
    this.retryAfter = options.retryAfter
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.kind !== 'absent' && this.kind !== 'refused'
  }
}

interface TransferErrorOptions extends ErrorOptions {
  readonly status?: number
  readonly retryAfter?: number | undefined
}

export interface Patience {
  /** The time until a server's answer must begin, in milliseconds. */
  readonly answer: number
  /** A period in milliseconds. At least `bytes` bytes must arrive in every such period. */
  readonly window: number
  readonly bytes: number
}

/** The default: 15 s for the answer, and about 1 kB/s after it. */
export const PATIENCE: Patience = { answer: 15_000, window: 15_000, bytes: 16 * 1024 }

/** Watches one connection while the body of its answer arrives. */
export interface Watch {
  /** The period in milliseconds between two calls of `check`. */
  readonly every: number
  /** Called for each piece of the body, with its size. */
  arrived(bytes: number): void
  /** Returns the error with which the connection is abandoned; undefined to go on. */
  check(): TransferError | undefined
}

export interface Request {
  readonly headers?: Readonly<Record<string, string>>
  readonly patience: Patience
  readonly signal?: AbortSignal | undefined
  /** Decides on a proxy before the variables http_proxy, https_proxy, all_proxy and no_proxy of this process. */
  readonly proxy?: ProxyRule | undefined
  /** The certificates of the authorities to trust, in PEM, instead of the public ones. */
  readonly authorities?: string | undefined
  readonly watch?: Watch | undefined
}

/** A request with a method and, for uploads, a body. */
export interface Exchange extends Request {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT'
  readonly content?: Content
}

export interface Content {
  /** The size in bytes. */
  readonly size: number
  readonly pieces: AsyncIterable<Uint8Array>
}

const REDIRECTS = 5
const agents = {
  'http:': new http.Agent({ keepAlive: true, scheduling: 'fifo' }),
  'https:': new https.Agent({ keepAlive: true, scheduling: 'fifo' }),
}

/** Sends a GET and returns the answer before its body is read. Throws TransferError for a status other than 200 or 206. */
export async function get(url: string, request: Request): Promise<http.IncomingMessage> {
  const response = await follow(url, request)
  const status = response.statusCode ?? 0
  if (status === 200 || status === 206) return response
  response.resume()
  throw answerError(response)
}

/** Follows redirects and returns the last answer, with any status. Credentials are not sent to another server. */
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

/** The body of an answer as text. Throws TransferError when it is longer than `limit` bytes. */
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

/** The body of an answer. Throws TransferError when the body arrives too slowly or ends early. */
export async function* body(
  response: http.IncomingMessage,
  { patience, signal, watch }: Request,
): AsyncGenerator<Buffer> {
  let received = 0
  let before = 0
  const timer = setInterval(() => {
    const arrived = received - before
    if (arrived < patience.bytes) response.destroy(slow(arrived, patience))
    before = received
  }, patience.window)
  const watching = watch && setInterval(() => giveUp(response, watch.check()), watch.every)
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      received += piece.length
      watch?.arrived(piece.length)
      yield piece
    }
  } catch (error) {
    throw transferError(error, 'broken', signal)
  } finally {
    clearInterval(timer)
    clearInterval(watching)
    response.destroy()
  }
}

function giveUp(response: http.IncomingMessage, error: TransferError | undefined): void {
  if (error !== undefined) response.destroy(error)
}

/** Sends one request and returns its answer, with any status. Throws TransferError when there is no answer. */
export async function exchange(url: URL, given: Exchange): Promise<http.IncomingMessage> {
  const { headers = {}, method = 'GET', content, patience, signal, authorities } = given
  const { protocol } = url
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TransferError('refused', `cannot fetch a URL with '${protocol}', wanted http: or https:`)
  }
  const proxy = await proxyFor(url, given)
  const module = protocol === 'http:' ? http : https
  const length = content === undefined ? {} : { 'content-length': String(content.size) }
  const way = proxy === undefined ? {} : throughProxy(proxy, url)
  const options = {
    ...{ agent: agents[protocol], method, ...way, ...(signal && { signal }) },
    ...(authorities === undefined ? {} : { ca: authorities }),
    headers: { ...headers, ...length, ...way.headers },
  }
  return new Promise((resolve, reject) => {
    const answered = new AbortController()
    const request = module.request(url, options, (response) => {
      answered.abort()
      // Closes the connection: it cannot be used again if the server answers before it has read the whole upload.
      response.once('end', () => request.writableEnded || request.destroy())
      resolve(response)
    })
    request.on('error', (error) => {
      answered.abort()
      reject(transferError(atProxy(error, proxy, url), 'unreachable', signal))
    })
    const sent = content === undefined ? Promise.resolve() : sendContent(request, content, patience, answered.signal)
    // The error of the source of an upload, as opposed to an error of the server.
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

async function proxyFor(url: URL, { proxy: rule }: Exchange): Promise<URL | undefined> {
  try {
    const decided = await rule?.(url)
    return decided === 'direct' ? undefined : (decided ?? environmentProxy(process.env, url))
  } catch (error) {
    throw error instanceof ProxyError ? new TransferError('refused', error.message, { cause: error }) : error
  }
}

/** An error that names the proxy to which a request of http went. Tunnels name it themselves. */
function atProxy(error: Error, proxy: URL | undefined, { protocol }: URL): Error {
  if (error instanceof ProxyError) {
    const kind = error.status !== undefined && isTransient(error.status) ? 'unreachable' : 'refused'
    return new TransferError(kind, error.message, { cause: error })
  }
  if (proxy === undefined || protocol === 'https:' || error instanceof TransferError) return error
  const { code } = error as NodeJS.ErrnoException
  return Object.assign(new Error(`the proxy ${proxyName(proxy)}: ${error.message}`, { cause: error }), { code })
}

/** Sends the body of an upload. Stops without an error when the server answers early, because the answer tells why. */
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

/** The error for an answer whose HTTP status is not a success. */
export function answerError({ statusCode: status = 0, headers }: http.IncomingMessage): TransferError {
  const text = `HTTP ${status} ${http.STATUS_CODES[status] ?? ''}`.trimEnd()
  if (status === 404 || status === 410) return new TransferError('absent', text, { status })
  if (!isTransient(status)) return new TransferError('refused', text, { status })
  return new TransferError('broken', text, { status, retryAfter: parseRetryAfter(headers['retry-after'], new Date()) })
}

/** Whether a server may answer the same request with success later. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

function transferError(error: unknown, kind: TransferError['kind'], signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof TransferError) return error
  const { code, message } = error as NodeJS.ErrnoException
  // Counts a reset as a broken transfer, which hangar repeats: a server may close an idle connection just when the next
  // request uses it.
  const stale = code === 'ECONNRESET' || code === 'EPIPE'
  return new TransferError(stale ? 'broken' : kind, message || code || String(error), { cause: error })
}
