import http from 'node:http'
import https from 'node:https'
import { BlockList, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** The proxy for a URL: its address, `direct` for none, or undefined if this rule does not decide. */
export type ProxyRule = (url: URL) => Promise<URL | 'direct' | undefined>

/** The error for a proxy that hangar cannot use: its setting is wrong, or it refuses a request. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  /** The HTTP status with which the proxy refused; undefined without an answer of the proxy. */
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

/**
 * The proxies of the environment, as curl and apt read them: `http_proxy`, `https_proxy`, `all_proxy`, and the exceptions in
 * `no_proxy`, also in capital letters. This machine itself is always reached directly.
 */
export function environmentProxy(env: NodeJS.ProcessEnv, url: URL): URL | undefined {
  const read = (name: string) => env[name] || env[name.toUpperCase()] || ''
  if (isLoopback(hostOf(url)) || isExcepted(url, read('no_proxy'))) return undefined
  const scheme = `${url.protocol.slice(0, -1)}_proxy`
  const name = read(scheme) === '' ? 'all_proxy' : scheme
  return parseProxy(read(name), name)
}

/** Undefined for an empty setting. Throws ProxyError for a proxy that does not speak HTTP. */
export function parseProxy(text: string, name: string): URL | undefined {
  if (text === '') return undefined
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url?.protocol === 'http:' && url.hostname !== '') return url
  throw new ProxyError(`${name} is '${withoutPassword(full)}', wanted http://HOST:PORT`)
}

/** A proxy's address without user and password, for messages. */
export function proxyName(proxy: URL): string {
  return proxy.host
}

/** A URL without user and password, for a proxy or a program that must not see them. */
export function withoutLogin(url: URL): URL {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  return copy
}

/** Passwords may contain `/` and `@`. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/.*@/, '//')
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}

/** Names match themselves and their subdomains, networks match their addresses, and `*` matches every host. */
function isExcepted(url: URL, list: string): boolean {
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((each) => each !== '')
    .some((each) => {
      if (each === '*') return true
      const [, name = each, only] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(each) ?? []
      if (only !== undefined && only !== port) return false
      const wanted = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '')
      if (isIP(host) !== 0) return isInNetwork(host, wanted)
      return host === wanted || host.endsWith(`.${wanted}`)
    })
}

function isInNetwork(host: string, wanted: string): boolean {
  const [address = '', prefix] = wanted.split('/')
  if (isIP(address) === 0 || isIP(address) !== isIP(host)) return false
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  const longest = family === 'ipv4' ? 32 : 128
  const bits = Number(prefix ?? longest)
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return false
  const network = new BlockList()
  network.addSubnet(address, bits, family)
  return network.check(host, family)
}

function hostOf(url: URL): string {
  return url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
}

/** The options of a request that a proxy forwards. https needs a tunnel, so that the proxy sees no content. */
export function throughProxy(proxy: URL, url: URL): http.RequestOptions {
  if (url.protocol === 'https:') return { agent: tunnelAgent(proxy) }
  const target = withoutLogin(url)
  target.hash = ''
  return {
    host: hostOf(proxy),
    hostname: hostOf(proxy),
    port: proxy.port || 80,
    path: target.href,
    headers: { host: url.host, ...authorization(proxy) },
  }
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }
}

const tunnels = new Map<string, TunnelAgent>()

function tunnelAgent(proxy: URL): TunnelAgent {
  const agent = tunnels.get(proxy.href) ?? new TunnelAgent(proxy)
  tunnels.set(proxy.href, agent)
  return agent
}

/** The time in milliseconds within which a proxy must open a tunnel. */
const TUNNEL_TIMEOUT = 15_000
type Created = (error: Error | null, socket?: Duplex) => void

/** Connections to https servers through one proxy, which stay open for further requests. */
class TunnelAgent extends https.Agent {
  private readonly proxy: URL

  constructor(proxy: URL) {
    super({ keepAlive: true, scheduling: 'fifo' })
    this.proxy = proxy
  }

  override createConnection(
    options: ConnectionOptions & { host?: string; port?: number },
    created: Created,
  ): undefined {
    const { proxy } = this
    const { host = '', port = 443 } = options
    const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
    const request = http.request({
      ...{ method: 'CONNECT', host: hostOf(proxy), port: proxy.port || 80, path: authority, agent: false },
      ...{ headers: { host: authority, ...authorization(proxy) }, timeout: TUNNEL_TIMEOUT },
    })
    request.once('connect', (response: http.IncomingMessage, socket: Socket) => {
      if (response.statusCode === 200) {
        socket.setTimeout(0)
        created(null, connectTls({ ...options, socket, servername: isIP(host) === 0 ? host : '' }))
        return
      }
      socket.destroy()
      const { statusCode } = response
      created(new ProxyError(`the proxy ${proxyName(proxy)} refuses '${authority}': HTTP ${statusCode}`, statusCode))
    })
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TUNNEL_TIMEOUT / 1000} s`)))
    request.once('error', (error) =>
      created(new Error(`the proxy ${proxyName(proxy)}: ${error.message}`, { cause: error })),
    )
    request.end()
    return undefined
  }
}
