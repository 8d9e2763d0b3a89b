import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { get, PATIENCE, type Request, textOf } from '../../lib/http.ts'
import { environmentProxy } from '../../lib/proxy.ts'
import { fileServer } from '../helpers/file-server.ts'
import { proxyServer } from '../helpers/proxy-server.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { setVariable } from '../helpers/variables.ts'

const request = { patience: PATIENCE }
const getText = async (url: string, limit: number, given: Request) => textOf(await get(url, given), limit, given)
const NAMES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']

describe('environmentProxy', () => {
  const P = 'http://proxy.test:3128'
  it.each([
    ['http_proxy for http', { http_proxy: P }, 'http://deb.test/x', 'proxy.test:3128'],
    ['capital letters', { HTTP_PROXY: P }, 'http://deb.test/x', 'proxy.test:3128'],
    ['an address without scheme', { http_proxy: 'proxy.test:8080' }, 'http://deb.test/x', 'proxy.test:8080'],
    ['only http_proxy for https', { http_proxy: P }, 'https://deb.test/x', undefined],
    ['https_proxy for https', { https_proxy: P }, 'https://deb.test/x', 'proxy.test:3128'],
    ['all_proxy for all others', { all_proxy: P }, 'https://deb.test/x', 'proxy.test:3128'],
    ['no variable', {}, 'http://deb.test/x', undefined],
    ['an empty variable', { http_proxy: '' }, 'http://deb.test/x', undefined],
    ['no_proxy with the name', { http_proxy: P, no_proxy: 'a.test, deb.test' }, 'http://deb.test/x', undefined],
    ['no_proxy with a domain', { http_proxy: P, no_proxy: '.test' }, 'http://deb.test/x', undefined],
    ['no_proxy with a part of a name', { http_proxy: P, no_proxy: 'eb.test' }, 'http://deb.test/x', 'proxy.test:3128'],
    ['no_proxy with another port', { http_proxy: P, no_proxy: 'deb.test:81' }, 'http://deb.test/x', 'proxy.test:3128'],
    ['no_proxy with the port', { http_proxy: P, no_proxy: 'deb.test:80' }, 'http://deb.test/x', undefined],
    ['no_proxy with a network', { http_proxy: P, no_proxy: '10.0.0.0/8' }, 'http://10.1.2.3/x', undefined],
    [
      'no_proxy with another network',
      { http_proxy: P, no_proxy: '10.0.0.0/8' },
      'http://11.1.2.3/x',
      'proxy.test:3128',
    ],
    ['no_proxy with an IPv6 network', { http_proxy: P, no_proxy: 'fd00::/8' }, 'http://[fd00::1]/x', undefined],
    [
      'no_proxy with an IPv6 address in another spelling',
      { http_proxy: P, no_proxy: 'FD00:0::01' },
      'http://[fd00::1]/x',
      undefined,
    ],
    ['no_proxy with brackets', { http_proxy: P, no_proxy: '[fd00::1]' }, 'http://[fd00::1]/x', undefined],
    [
      'no_proxy with brackets and a port',
      { http_proxy: P, no_proxy: '[fd00::1]:81' },
      'http://[fd00::1]:81/x',
      undefined,
    ],
    [
      'no_proxy with another IPv6 address',
      { http_proxy: P, no_proxy: 'fd00::1' },
      'http://[fd00::11]/x',
      'proxy.test:3128',
    ],
    ['a proxy with an IPv6 address', { http_proxy: 'http://[fd00::8]:3128' }, 'http://deb.test/x', '[fd00::8]:3128'],
    ['this machine by its IPv6 address', { http_proxy: P }, 'http://[::1]:5000/x', undefined],
    ['no_proxy with *', { http_proxy: P, no_proxy: '*' }, 'http://deb.test/x', undefined],
    ['this machine', { http_proxy: P }, 'http://127.0.0.1/x', undefined],
    ['this machine by name', { http_proxy: P }, 'http://localhost:5000/x', undefined],
  ])('honours %s', (_, env, url, proxy) => {
    expect(environmentProxy(env, new URL(url))?.host).toBe(proxy)
  })

  it.each(['secret', 'se/cret', 'se@cret'])(
    'names a proxy that does not speak HTTP, without its password %s',
    (password) => {
      expect(() =>
        environmentProxy({ https_proxy: `socks5://me:${password}@p:1` }, new URL('https://deb.test/')),
      ).toThrow("https_proxy is 'socks5://p:1', wanted http://HOST:PORT")
    },
  )
})

describe('a request through a proxy', () => {
  beforeEach(() => {
    for (const name of NAMES) for (const each of [name, name.toUpperCase()]) setVariable(each, undefined)
  })

  it('asks the proxy for the whole URL, with the credentials of the proxy', async () => {
    const proxy = await proxyServer()
    setVariable('http_proxy', `http://me:p%40ss@127.0.0.1:${proxy.port}`)
    expect(await getText('http://deb.test/debian/x', 100, request)).toBe('proxied for deb.test')
    expect(proxy.requests).toEqual(['GET http://deb.test/debian/x as me:p@ss'])
  })

  it('reaches exceptions and this machine directly', async () => {
    const proxy = await proxyServer()
    const server = await fileServer([['x', Buffer.from('direct')]])
    setVariable('http_proxy', `http://127.0.0.1:${proxy.port}`)
    expect(await getText(`${server.url}/x`, 100, request)).toBe('direct')
    expect(proxy.requests).toEqual([])
  })

  it('prefers the rule of the request to the environment', async () => {
    const [proxy, other] = [await proxyServer(), await proxyServer()]
    setVariable('http_proxy', `http://127.0.0.1:${other.port}`)
    const rule = async () => new URL(`http://127.0.0.1:${proxy.port}`)
    await getText('http://deb.test/x', 100, { ...request, proxy: rule })
    await getText('http://deb.test/y', 100, { ...request, proxy: async () => undefined })
    expect([proxy.requests, other.requests]).toEqual([['GET http://deb.test/x'], ['GET http://deb.test/y']])
  })

  it('names the proxy that refuses a tunnel or does not listen', async () => {
    const proxy = await proxyServer()
    setVariable('https_proxy', `http://127.0.0.1:${proxy.port}`)
    await expect(getText('https://deb.test/x', 100, request)).rejects.toMatchObject({
      kind: 'refused',
      message: `the proxy 127.0.0.1:${proxy.port} refuses 'deb.test:443': HTTP 403`,
    })
    setVariable('https_proxy', 'http://127.0.0.1:1')
    setVariable('http_proxy', 'http://127.0.0.1:1')
    for (const url of ['https://deb.test/x', 'http://deb.test/x']) {
      const message = expect.stringContaining('the proxy 127.0.0.1:1: connect ECONNREFUSED')
      await expect(getText(url, 100, request)).rejects.toMatchObject({ kind: 'unreachable', message })
    }
  })

  it('counts a proxy that cannot reach the server as an unreachable server', async () => {
    const proxy = await proxyServer(undefined, '503 Service Unavailable')
    setVariable('https_proxy', `http://127.0.0.1:${proxy.port}`)
    await expect(getText('https://deb.test/x', 100, request)).rejects.toMatchObject({
      kind: 'unreachable',
      message: `the proxy 127.0.0.1:${proxy.port} refuses 'deb.test:443': HTTP 503`,
    })
  })

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0
  it('sends https through a tunnel, which stays open for the next request', async ({ skip }) => {
    skip(!hasOpenssl, 'this machine has no openssl for a certificate')
    const port = await secureServer()
    const proxy = await proxyServer(port)
    setVariable('https_proxy', `http://127.0.0.1:${proxy.port}`)
    setVariable('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    expect(await getText('https://deb.test/x', 100, request)).toBe('secure /x for deb.test')
    expect(await getText('https://deb.test/y', 100, request)).toBe('secure /y for deb.test')
    expect(proxy.requests).toEqual(['CONNECT deb.test:443'])
  })

  it('refuses a server behind a tunnel whose certificate is not trusted', async ({ skip }) => {
    skip(!hasOpenssl, 'this machine has no openssl for a certificate')
    const proxy = await proxyServer(await secureServer())
    setVariable('https_proxy', `http://127.0.0.1:${proxy.port}`)
    await expect(getText('https://deb.test/x', 100, request)).rejects.toThrow('self-signed certificate')
  })
})

async function secureServer(): Promise<number> {
  const directory = await tempDirectory()
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')]
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=deb.test']
  expect(spawnSync('openssl', [...words, '-addext', 'subjectAltName=DNS:deb.test']).status).toBe(0)
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, ({ url, headers }, response) => {
    response.end(`secure ${url} for ${headers.host}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
