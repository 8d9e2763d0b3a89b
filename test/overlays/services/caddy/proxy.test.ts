import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Port } from '../../../../overlays/offer.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { serviceNamed } from '../../../helpers/host.ts'
import { type NativeContainer, nativeContainer } from '../../../helpers/native-container.ts'
import type { RunningProgram } from '../../../helpers/running-program.ts'
import { type TestCa, testCa } from '../../../helpers/test-ca.ts'
import { withTestService } from '../../../helpers/test-service.ts'

import { plainAnswer, secureAnswer } from '../../../helpers/web-answer.ts'

/** A service that wants client certificates, beside prometheus, which does not. */
const GUARDED: Port = {
  ...{ number: 7777, protocol: 'tcp', reach: 'host', purpose: 'test', web: true },
  browsers: 'with-certificate',
}

let directory: string
let ca: TestCa
let caddy: NativeContainer
let program: RunningProgram
let ports: { http: number; https: number }
const upstreams: Server[] = []

// One real caddy for all tests of this file, with the configuration of a host, before two web servers.
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangar-caddy-'))
  ca = testCa(directory)
  ports = { http: await freePort(), https: await freePort() }
  const services = withTestService(
    { ports: () => [GUARDED] },
    { caddy: { memory: { caddy: '64 MiB', acme: '64 MiB' } }, prometheus: { memory: '64 MiB' } },
  )
  const rendered = serviceNamed(services, 'caddy')
  const [container] = rendered.containers
  if (container === undefined) throw new Error('caddy has no container')
  const names = rendered.certificates.caddy?.names ?? []
  caddy = await nativeContainer(container, {
    directory,
    ca: ca.certificate,
    issued: { caddy: ca.issue('caddy', { usages: ['server'], names: [...names, 'tiny.lab', 'caddy.lab'] }) },
    replaced: {
      80: `${ports.http}`,
      443: `${ports.https}`,
      '127.0.0.1:9090': `127.0.0.1:${await upstream('prometheus')}`,
      '127.0.0.1:7777': `127.0.0.1:${await upstream('test')}`,
    },
  })
  program = await caddy.start()
  await eventually(async () => program.output().includes('serving initial configuration'), 20)
})

afterAll(async () => {
  await program?.stop()
  for (const server of upstreams) server.close()
  rmSync(directory, { recursive: true })
})

/** A web server that answers with its name and the path, and that echoes what a WebSocket sends. */
async function upstream(name: string): Promise<number> {
  const server = createServer((asked, answer) => {
    answer.setHeader('server', 'secret-version')
    if (asked.url === '/framed') answer.setHeader('x-frame-options', 'DENY')
    answer.end(`${name} ${asked.url} for ${asked.headers['x-forwarded-for']} ${asked.headers['x-forwarded-proto']}`)
  })
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  upstreams.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The answer to a request over TLS for a name, which the certificate must have. */
const secure = (name: string, path = '/', options: RequestOptions = {}) =>
  secureAnswer({ port: ports.https, name, path, ca: ca.certificate }, options)

const plain = (name: string, path = '/') => plainAnswer({ port: ports.http, name, path })

const certificateOf = (authority: TestCa, request: Parameters<TestCa['issue']>[1] = {}) => {
  const { certificate, key } = authority.issue('laptop', request)
  return { cert: certificate, key }
}

describe('caddy, with the configuration of a host,', () => {
  it('accepts its configuration in a dry run, too', async () => {
    const { stderr } = await caddy.run([
      ...['/usr/bin/caddy', 'validate', '--adapter', 'caddyfile'],
      ...['--config', '/etc/caddy/Caddyfile'],
    ])
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string })
    const warnings = lines.filter(({ level }) => level !== 'info').map(({ msg }) => msg)
    expect([...new Set(warnings)]).toEqual(['automatic HTTPS is completely disabled for server'])
  })

  it('passes a request to the service of the name', async () => {
    const { status, text } = await secure('prometheus.lab', '/graph?g0=up')
    expect([status, text]).toEqual([200, 'prometheus /graph?g0=up for 127.0.0.1 https'])
  })

  it('does not believe a client that claims another address', async () => {
    const { text } = await secure('prometheus.lab', '/', { headers: { 'x-forwarded-for': '192.0.2.99' } })
    expect(text).toBe('prometheus / for 127.0.0.1 https')
  })

  it('adds security headers, and hides the versions of servers', async () => {
    const { headers } = await secure('prometheus.lab')
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    })
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('alt-svc')
  })

  it('keeps a stricter header of a service', async () => {
    expect((await secure('prometheus.lab', '/framed')).headers['x-frame-options']).toBe('DENY')
  })

  it('passes a WebSocket in both directions', async () => {
    const socket = connect({
      ...{ host: '127.0.0.1', port: ports.https, servername: 'prometheus.lab', ca: ca.certificate },
    })
    let seen = ''
    socket.on('data', (bytes) => (seen += bytes))
    socket.write('GET /ws HTTP/1.1\r\nHost: prometheus.lab\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    await eventually(async () => seen.startsWith('HTTP/1.1 101'), 10)
    socket.write('through the proxy')
    await eventually(async () => seen.endsWith('through the proxy'), 10)
    socket.destroy()
  })

  it('redirects a request without TLS', async () => {
    const { status, headers } = await plain('prometheus.lab', '/graph?g0=up')
    expect([status, headers.location]).toEqual([301, 'https://prometheus.lab/graph?g0=up'])
  })

  it('passes its own health check', async () => {
    expect((await plain('127.0.0.1', '/caddy-health')).status).toBe(200)
  })

  it('accepts a client certificate of the lab where a service wants one', async () => {
    const { text } = await secure('test.lab', '/', certificateOf(ca))
    expect(text).toBe('test / for 127.0.0.1 https')
  })
})

describe('caddy refuses', () => {
  const alert = /alert|ECONNRESET|socket hang up/

  it.each([
    ['no client certificate', () => ({})],
    ['a client certificate of another CA', () => certificateOf(testCa(directory))],
    ['an expired client certificate', () => certificateOf(ca, { lifetime: 'expired' })],
    ['a certificate that is only for servers', () => certificateOf(ca, { usages: ['server'] })],
  ])('%s where a service wants a client certificate', async (_, options) => {
    await expect(secure('test.lab', '/', options())).rejects.toThrow(alert)
  })

  it('a request for a site with client certificates over a connection to a site without', async () => {
    const { status, text } = await secure('prometheus.lab', '/', { headers: { host: 'test.lab' } })
    expect([status, text]).toEqual([421, ''])
  })

  it.each(['unknown.lab', 'prometheus.lab.example.org', '127.0.0.1', 'localhost'])(
    'the name %s, in the handshake and without a word about the services',
    async (name) => {
      const servername = name === '127.0.0.1' ? '' : name
      await expect(secure(name, '/', { servername, rejectUnauthorized: false })).rejects.toThrow(/internal error|alert/)
      await expect(plain(name)).rejects.toThrow(/socket hang up|ECONNRESET/)
    },
  )

  it('a request for another name over a connection to a site', async () => {
    const { status, text } = await secure('prometheus.lab', '/', { headers: { host: 'unknown.lab' } })
    expect(status).toBe(421)
    expect(text).toBe('')
  })

  it('TLS 1.2', async () => {
    await expect(secure('prometheus.lab', '/', { maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert|protocol version/)
  })
})
