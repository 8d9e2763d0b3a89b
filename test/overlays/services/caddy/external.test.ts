import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJob } from '../../../../overlays/container.ts'
import { type AcmeServer, acmeServer, dnsServer, TSIG } from '../../../helpers/acme-servers.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { EXTERNAL, serviceNamed, testServices } from '../../../helpers/host.ts'
import { type NativeContainer, nativeContainer } from '../../../helpers/native-container.ts'
import type { RunningProgram } from '../../../helpers/running-program.ts'
import { type TestCa, testCa } from '../../../helpers/test-ca.ts'
import { secureAnswer } from '../../../helpers/web-answer.ts'

const NAME = 'home.example.org'

let directory: string
let ca: TestCa
let web: Server
let dns: Awaited<ReturnType<typeof dnsServer>>
const started: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hangar-acme-'))
  ca = testCa(directory)
  dns = await dnsServer(directory)
  started.push(dns)
  web = createServer((_, answer) => answer.end('from the service'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  for (const each of started.reverse()) await each.stop()
  web?.close()
  rmSync(directory, { recursive: true, maxRetries: 10 })
})

interface Host {
  readonly caddy: NativeContainer
  readonly proxy: RunningProgram
  readonly acme: AcmeServer
  /** One run of the job, and the command that follows it on a host. */
  renew(): Promise<{ status: number | null; output: string; followed: 'reload' | 'nothing' }>
  /** The answer of caddy for a name, whose certificate must be of this CA. */
  ask(name: string, authority: string): ReturnType<typeof secureAnswer>
  served(name?: string): string
}

interface Situation {
  /** The lifetime of the certificates that the ACME server issues. */
  readonly days: number
  readonly names?: Readonly<Record<string, string>>
  readonly secret?: string
}

/** The two containers of a host's caddy on this machine, before a web server, with a real ACME server. */
async function makeHost({ days, names = EXTERNAL.names, secret = TSIG.secret }: Situation): Promise<Host> {
  const own = mkdtempSync(join(directory, 'host-'))
  const acme = await acmeServer(directory, { ca, dnsPort: dns.port, days })
  started.push(acme)
  const [proxy, job] = containersOf(acme, names)
  const https = await freePort()
  const around = {
    directory: own,
    ca: ca.certificate,
    issued: { caddy: ca.issue('caddy', { usages: ['server'], names: ['prometheus.lab'] }) },
    secrets: { 'caddy-rfc2136-tsig-secret': secret },
    inPath: ['/usr/bin/busybox', '/usr/bin/lego'],
    // The ACME servers of the internet have certificates that the container's CAs know.
    env: { LEGO_CA_CERTIFICATES: join(own, 'caddy/files/etc/caddy/tls/ca.pem') },
    replaced: {
      80: `${await freePort()}`,
      443: `${https}`,
      '127.0.0.1:9090': `127.0.0.1:${(web.address() as AddressInfo).port}`,
    },
  } as const
  const caddy = await nativeContainer(proxy, around)
  const renewal = await nativeContainer(job, around)
  const running = await caddy.start()
  started.push(running)
  await eventually(async () => running.output().includes('serving initial configuration'), 20)
  const { health } = job
  if (!isJob(health) || health.follow === undefined) throw new Error('acme is no job with a command that follows it')
  const { file, command } = health.follow
  return {
    ...{ caddy, proxy: running, acme },
    renew: async () => {
      const run = await renewal.start()
      const status = await run.ended
      const isChanged = existsSync(renewal.path(file))
      if (isChanged) {
        await caddy.run(command)
        rmSync(renewal.path(file))
      }
      return { status, output: run.output(), followed: isChanged ? 'reload' : 'nothing' }
    },
    ask: (name, authority) => secureAnswer({ port: https, name, ca: authority }),
    served: (name = NAME) => renewal.path(`/served/${name}.pem`),
  }
}

function containersOf(acme: AcmeServer, names: Readonly<Record<string, string>>) {
  const external = {
    ...{ names, email: EXTERNAL.email, provider: 'rfc2136', directory: acme.directory },
    settings: {
      RFC2136_NAMESERVER: `127.0.0.1:${dns.port}`,
      RFC2136_TSIG_KEY: `${TSIG.name}.`,
      RFC2136_TSIG_ALGORITHM: `${TSIG.algorithm}.`,
      RFC2136_POLLING_INTERVAL: '1',
    },
    credentials: ['RFC2136_TSIG_SECRET'],
    resolvers: [`127.0.0.1:${dns.port}`],
  }
  const services = testServices({
    caddy: { memory: { caddy: '64 MiB', acme: '64 MiB' }, external },
    prometheus: { memory: '64 MiB' },
  })
  const [proxy, job] = serviceNamed(services, 'caddy').containers
  if (proxy === undefined || job === undefined) throw new Error('caddy does not have two containers')
  return [proxy, job] as const
}

describe('an external name of caddy', () => {
  it('is refused until its certificate is there; then caddy serves it without a restart, and renews it', async () => {
    const host = await makeHost({ days: 20 })
    await expect(host.ask(NAME, ca.certificate)).rejects.toThrow(/alert/)
    expect((await host.ask('prometheus.lab', ca.certificate)).text).toBe('from the service')

    const first = await host.renew()
    expect(first).toMatchObject({ status: 0, followed: 'reload' })
    const root = await host.acme.root()
    const before = await host.ask(NAME, root)
    expect(before.text).toBe('from the service')
    expect(before.headers).toHaveProperty('strict-transport-security')

    // The certificates of this server are due for renewal at once.
    expect(await host.renew()).toMatchObject({ status: 0, followed: 'reload' })
    const after = await host.ask(NAME, root)
    expect(after.text).toBe('from the service')
    expect(after.serial).not.toBe(before.serial)
    expect((await host.ask('prometheus.lab', ca.certificate)).status).toBe(200)
    expect(host.proxy.output().match(/serving initial configuration/g)).toHaveLength(1)
    // Negative control: the certificate is of the ACME server, not of the internal CA.
    await expect(host.ask(NAME, ca.certificate)).rejects.toThrow(/unable to|self.signed/)
  })

  it('keeps a certificate that is valid for long, and does not disturb caddy', async () => {
    const host = await makeHost({ days: 365 })
    expect(await host.renew()).toMatchObject({ status: 0, followed: 'reload' })
    const { serial } = await host.ask(NAME, await host.acme.root())
    expect(await host.renew()).toMatchObject({ status: 0, followed: 'nothing' })
    expect((await host.ask(NAME, await host.acme.root())).serial).toBe(serial)
    // Others cannot read the private key.
    expect(statSync(host.served()).mode & 0o777).toBe(0o640)
  })

  it('fails with the name and without the credential if the DNS server refuses the update, and caddy serves on', async () => {
    const wrong = Buffer.from('not the key of the DNS server').toString('base64')
    const host = await makeHost({ days: 365, secret: wrong })
    const { status, output, followed } = await host.renew()
    expect([status, followed]).toEqual([1, 'nothing'])
    expect(output).toContain(`cannot obtain or renew the certificate for ${NAME}`)
    expect(output).not.toContain(wrong)
    expect(existsSync(host.served())).toBe(false)
    expect((await host.ask('prometheus.lab', ca.certificate)).text).toBe('from the service')
  })

  it('does not stop the others: each name has a certificate of its own', async () => {
    const names = { 'a.example.net': 'prometheus', [NAME]: 'prometheus' }
    const host = await makeHost({ days: 365, names })
    const { status, output, followed } = await host.renew()
    expect([status, followed]).toEqual([1, 'reload'])
    expect(output).toContain('cannot obtain or renew the certificate for a.example.net')
    expect((await host.ask(NAME, await host.acme.root())).text).toBe('from the service')
    expect(readFileSync(host.served(), 'utf8').match(/BEGIN [A-Z ]+/g)).toContain('BEGIN EC PRIVATE KEY')
  })
})
