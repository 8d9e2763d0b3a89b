import type { IncomingMessage } from 'node:http'
import { UserError } from '../../../errors.ts'
import { answerError, type Exchange, exchange, follow, isTransient, type Request, textOf } from '../../../lib/http.ts'
import type { Authorization } from './authorization.ts'

/** A request to a registry. `content` must be readable twice, because hangar repeats the request after a 401. */
export interface Ask {
  readonly method: NonNullable<Exchange['method']>
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: { readonly size: number; open(): AsyncIterable<Uint8Array> }
}

const ERROR_LIMIT = 64 * 1024

/** Sends requests to one registry, with authorization. */
export class Conversation {
  /** The base URL of the repository: `https://registry.lab/v2/hangar/`. */
  readonly base: URL
  readonly request: Request
  private readonly authorization: Authorization

  constructor(base: URL, authorization: Authorization, request: Request) {
    this.base = base
    this.authorization = authorization
    this.request = request
  }

  /** Sends a request, and repeats it once after a 401. The caller reads the body of the answer. */
  async ask(at: string | URL, ask: Ask): Promise<IncomingMessage> {
    const url = new URL(at, this.base)
    const shown = this.authorization.current()
    const response = await this.askAs(url, ask, shown)
    if (response.statusCode !== 401 || !this.isOurs(url)) return response
    response.resume()
    const next = await this.authorization.renew(shown, response.headers['www-authenticate'])
    const again = await this.askAs(url, ask, next)
    return again.statusCode === 401 ? this.fail(again, 'refused the login') : again
  }

  /** The headers that another module needs for its own request to the registry. */
  headersFor(url: URL): Record<string, string> {
    const header = this.authorization.current()
    return header === undefined || !this.isOurs(url) ? {} : { authorization: header }
  }

  /**
   * Throws the error of an answer: a TransferError for 5xx, 408 and 429, so that the caller retries; otherwise a UserError.
   */
  async fail(response: IncomingMessage, what: string): Promise<never> {
    const { statusCode: status = 0 } = response
    const said = reasonIn(await textOf(response, ERROR_LIMIT, this.request).catch(() => ''))
    if (isTransient(status)) throw answerError(response)
    const reason = [`HTTP ${status}`, ...said].join(', ')
    throw new UserError('registry', `'${this.base.host}' ${what}: ${reason}`, { hint: hintFor(status, this.base) })
  }

  private askAs(url: URL, { method, headers, content }: Ask, shown: string | undefined): Promise<IncomingMessage> {
    const own = shown === undefined || !this.isOurs(url) ? {} : { authorization: shown }
    const sent = content === undefined ? emptyContent(method) : { size: content.size, pieces: content.open() }
    const all = { ...this.request, method, headers: { ...headers, ...own }, ...(sent && { content: sent }) }
    return method === 'GET' || method === 'HEAD' ? follow(url.href, all) : exchange(url, all)
  }

  /** Sends no login to another server: a registry may redirect there. */
  private isOurs(url: URL): boolean {
    return url.origin === this.base.origin
  }
}

/** Always sets Content-Length, because some proxies wait for a body if a request has no length. */
function emptyContent(method: Ask['method']) {
  return method === 'GET' || method === 'HEAD' ? undefined : { size: 0, pieces: nothing() }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The code and the message of an error answer (OCI distribution specification), without control characters. */
function reasonIn(text: string): string[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }
    const [first] = errors ?? []
    return [first?.code, first?.message].flatMap((each) =>
      typeof each === 'string' ? each.replace(/[^\x20-\x7e]/g, '').slice(0, 200) : [],
    )
  } catch {
    return []
  }
}

function hintFor(status: number, { host, pathname }: URL): string {
  const name = pathname.slice('/v2/'.length, -1)
  if (status === 401 || status === 403) return `check the permissions of your login for '${name}': podman login ${host}`
  return `check the name '${name}' and the limits of '${host}'`
}
