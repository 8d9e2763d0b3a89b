import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProgram } from './running-program.ts'
import { serviceProgram } from './service-programs.ts'
import type { TestCa } from './test-ca.ts'

/** A server of the test, which runs until it is stopped. */
interface Started {
  stop(): Promise<void>
}

/** The key that signs updates, as both sides write it. */
export const TSIG = { name: 'hangar', algorithm: 'hmac-sha256', secret: 'aGFuZ2FyJ3MgdGVzdCBrZXkgZm9yIHVwZGF0ZXMgISE=' }

/** A DNS server for the zone example.org that takes signed updates (RFC 2136). */
export async function dnsServer(parent: string): Promise<Started & { readonly port: number }> {
  const directory = mkdtempSync(join(parent, 'dns-'))
  const port = await freePort()
  writeFileSync(join(directory, 'zone'), ZONE)
  writeFileSync(join(directory, 'knot.conf'), knotConfiguration(directory, port))
  mkdirSync(join(directory, 'database'))
  const server = await start('/usr/sbin/knotd', ['--config', join(directory, 'knot.conf')], {})
  await eventually(async () => /server started/.test(server.output()), 20)
  return { port, stop: server.stop }
}

const ZONE = `$TTL 1
@ SOA ns.example.org. owner.example.org. 1 3600 600 86400 1
@ NS ns.example.org.
ns A 127.0.0.1
`

function knotConfiguration(directory: string, port: number): string {
  return `server:
    listen: 127.0.0.1@${port}
    rundir: ${directory}
log:
  - target: stderr
    any: info
database:
    storage: ${directory}/database
key:
  - id: ${TSIG.name}
    algorithm: ${TSIG.algorithm}
    secret: ${TSIG.secret}
acl:
  - id: update
    key: ${TSIG.name}
    action: update
zone:
  - domain: example.org
    storage: ${directory}
    file: zone
    acl: update
`
}

export interface AcmeServer extends Started {
  /** The URL that clients begin with. */
  readonly directory: string
  /** The root of the certificates that the server issues, in PEM. */
  root(): Promise<string>
}

export interface AcmeOptions {
  /** The CA of the server's own certificate, which clients must trust. */
  readonly ca: TestCa
  readonly dnsPort: number
  /** The lifetime of the certificates that it issues. */
  readonly days: number
}

/** A real ACME server, pebble, that asks the DNS server for the answers to its challenges. */
export async function acmeServer(parent: string, { ca, dnsPort, days }: AcmeOptions): Promise<AcmeServer> {
  const directory = mkdtempSync(join(parent, 'pebble-'))
  const [port, management] = [await freePort(), await freePort()]
  const own = ca.issue('pebble', { usages: ['server'], names: ['localhost'] })
  const [certificate, privateKey] = [join(directory, 'own.pem'), join(directory, 'own.key')]
  writeFileSync(certificate, own.certificate)
  writeFileSync(privateKey, own.key)
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    ...{ certificate, privateKey, httpPort: 1, tlsPort: 1 },
    certificateValidityPeriod: days * 86_400,
  }
  writeFileSync(join(directory, 'pebble.json'), JSON.stringify({ pebble }))
  // pebble would wait before each validation, and refuse some good nonces.
  const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' }
  const args = ['-config', join(directory, 'pebble.json'), '-dnsserver', `127.0.0.1:${dnsPort}`]
  const server = await start('/usr/bin/pebble', args, env)
  await eventually(async () => /ACME directory available/.test(server.output()), 20)
  return {
    directory: `https://localhost:${port}/dir`,
    root: () => textOf(`https://127.0.0.1:${management}/roots/0`, ca.certificate),
    stop: server.stop,
  }
}

async function start(path: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const [file, ...first] = await serviceProgram(path)
  return startProgram(file, [...first, ...args], { ...process.env, ...env })
}

async function textOf(url: string, ca: string): Promise<string> {
  const sent = request(url, { ca, servername: 'localhost', agent: false }).end()
  const [response] = await once(sent, 'response')
  return Buffer.concat(await response.toArray()).toString()
}
