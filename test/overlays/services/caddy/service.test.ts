import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { bakedImages } from '../../../../overlays/baked-images.ts'
import type { HostServices } from '../../../../overlays/host-services.ts'
import { configurationOf, EXTERNAL, serviceNamed, testServices } from '../../../helpers/host.ts'
import { withTestService } from '../../../helpers/test-service.ts'

const CADDY = { caddy: { memory: { caddy: '64 MiB', acme: '64 MiB' } } }
const PROMETHEUS = { prometheus: { memory: '64 MiB' } }
const caddyfileOf = (services: ReturnType<typeof testServices>) =>
  configurationOf(services, 'caddy', '/etc/caddy/Caddyfile')

describe('caddy', () => {
  const both = testServices({ ...CADDY, ...PROMETHEUS, mosquitto: { memory: '64 MiB' } })

  it('has a site for each service of the host with a web page, and for no other', () => {
    expect(caddyfileOf(both).match(/^https:.*/gm)).toEqual(['https://prometheus.lab {'])
    expect(caddyfileOf(testServices(CADDY)).match(/^https:.*/gm)).toBeNull()
  })

  it('asks for a certificate with the names of its sites', () => {
    expect(serviceNamed(both, 'caddy').certificates).toMatchObject({
      caddy: { usages: ['server'], names: ['prometheus.lab'] },
    })
  })

  it('uses the ports of its sites', () => {
    expect(serviceNamed(both, 'caddy').containers[0]?.uses).toEqual([{ service: 'prometheus', port: 9090 }])
  })

  it('has one site for a service with several web pages: the first one', () => {
    const web = (number: number) => ({ number, protocol: 'tcp', reach: 'host', purpose: 'test', web: true }) as const
    const services = withTestService({ ports: () => [{ ...web(1), web: false }, web(2), web(3)] }, CADDY)
    expect(caddyfileOf(services).match(/127\.0\.0\.1:\d+/g)).toEqual(['127.0.0.1:2'])
  })
})

describe('external names of caddy', () => {
  const given = (changes: object, services: object = PROMETHEUS) =>
    testServices({
      ...services,
      caddy: { ...CADDY.caddy, external: { ...EXTERNAL, ...changes } },
    } as HostFile['services'])
  const job = (services: HostServices) => serviceNamed(services, 'caddy').containers[1]

  it('need one container more, and their certificates are not those of the internal CA', () => {
    expect(serviceNamed(testServices({ ...CADDY, ...PROMETHEUS }), 'caddy').containers).toHaveLength(1)
    expect(job(given({}))).toMatchObject({ name: 'caddy-acme', user: 'acme', borrowed: {} })
    expect(serviceNamed(given({}), 'caddy').certificates.caddy?.names).toEqual(['prometheus.lab'])
    expect(caddyfileOf(given({})).match(/^https:.*/gm)).toEqual([
      'https://prometheus.lab {',
      'https://home.example.org {',
    ])
  })

  it('have an image of their own with lego, so that a lab without them has none', () => {
    const images = bakedImages(given({})).filter(({ name }) => name.startsWith('caddy'))
    expect(
      images.map(({ name, packages, programs }) => [name, packages[0], programs.map(({ program }) => program)]),
    ).toEqual([
      ['caddy', 'caddy', ['/usr/bin/caddy', '/usr/bin/busybox']],
      ['caddy-acme', 'lego', ['/usr/bin/busybox']],
    ])
    expect(bakedImages(testServices({ ...CADDY })).map(({ name }) => name)).toEqual(['caddy'])
  })

  it('keep credentials out of the image: they are secrets that only the owner knows', () => {
    const { environment, files, command } = job(given({})) ?? {}
    expect(environment).toMatchObject({ CLOUDFLARE_DNS_API_TOKEN_FILE: '/run/secrets/CLOUDFLARE_DNS_API_TOKEN' })
    expect(files).toMatchObject({
      '/run/secrets/CLOUDFLARE_DNS_API_TOKEN': { kind: 'secret', name: 'caddy-cloudflare-dns-api-token' },
    })
    expect(command?.join(' ')).not.toContain('CLOUDFLARE')
    expect(serviceNamed(given({}), 'caddy').secrets).toMatchObject({
      'caddy-cloudflare-dns-api-token': {
        about: 'CLOUDFLARE_DNS_API_TOKEN of the DNS provider cloudflare',
        value: { kind: 'given' },
      },
    })
  })

  it('ask for client certificates if the service does', () => {
    const port = {
      number: 1,
      protocol: 'tcp',
      reach: 'host',
      purpose: 'test',
      web: true,
      browsers: 'with-certificate',
    } as const
    const external = { ...EXTERNAL, names: { 'test.example.org': 'test' } }
    const services = withTestService({ ports: () => [port] }, { caddy: { ...CADDY.caddy, external } })
    expect(caddyfileOf(services).match(/mode require_and_verify/g)).toHaveLength(2)
  })

  it('have an alert that names the log', () => {
    const [group] = serviceNamed(given({}), 'caddy').alerts
    expect(group?.rules.map(({ alert }) => alert)).toEqual(['ExternalCertificateFailed'])
    expect(serviceNamed(testServices(CADDY), 'caddy').alerts).toEqual([])
  })

  it('only the job uses the internet, and only the job and the web server use the certificates', () => {
    const [proxy, renewal] = serviceNamed(given({}), 'caddy').containers
    expect(proxy?.uses.filter((use) => 'internet' in use)).toEqual([])
    expect(renewal?.uses.filter((use) => 'internet' in use)).toHaveLength(1)
    expect(proxy?.borrowed).toEqual({ 'caddy-certificates': 'acme' })
  })

  it.each([
    [
      { names: { 'home.example.org': 'grafana' } },
      "hosts/tiny.ts at 'services.caddy.external.names.home.example.org': no service 'grafana' with a web page on this host",
    ],
    [{ names: { 'Home.example.org': 'prometheus' } }, "'Home.example.org' is not a domain"],
    [{ names: { '*.example.org': 'prometheus' } }, "'*.example.org' is not a domain"],
    [{ provider: 'manual' }, "'manual' is not a DNS provider of lego"],
    [{ provider: 'a b' }, "'a b' is not a DNS provider of lego"],
    [{ email: 'owner' }, "'owner' is not an email address"],
    [
      { settings: { CLOUDFLARE_DNS_API_TOKEN: 'x' } },
      "'CLOUDFLARE_DNS_API_TOKEN' is a secret, and 'settings' become part of the image",
    ],
    [{ settings: { PATH: '/tmp' } }, "'PATH' is not a setting of a DNS provider"],
    [{ settings: { LEGO_PATH: '/tmp' } }, "'LEGO_PATH' is not a setting of a DNS provider"],
    [{ settings: { A_B: 'x\ny' } }, 'wanted one line of ASCII characters'],
    [{ credentials: ['token'] }, "'token' is not a setting of lego"],
    [{ directory: 'acme.example.org' }, "'acme.example.org' is not a URL of a web server"],
    [{ resolvers: ['dns.example.org'] }, "'dns.example.org' is not the address of a DNS server"],
  ])('refuse %j', (changes, message) => {
    expect(() => given(changes)).toThrow(message)
  })
})
