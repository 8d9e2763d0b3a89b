import { describe, expect, it } from 'vitest'
import { defineLab, type LabFile } from '../../../hosts/schema/lab-file.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'

/** Expects that a lab file is refused with this message and hint. */
const refused = (file: object, message: string, hint = '') =>
  expect(() => defineLab(file as LabFile)).toThrow(
    expect.objectContaining({
      ...{ name: 'UserError', code: 'host' },
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    }),
  )

describe('defineLab', () => {
  it('an empty lab file has the facts of a lab without a lab file', () => {
    expect(defineLab({})).toEqual(DEFAULT_FACTS)
  })

  it('a lab keeps the values of the lab file', () => {
    const facts = defineLab({
      domain: 'home.example.org',
      networks: {
        home: { vlan: 10, subnet: ['10.0.10.0/24', 'FD00:10::/64'], gateway: ['10.0.10.1', 'fe80::1'], dns: '9.9.9.9' },
        things: { subnet: '10.0.20.0/24' },
      },
      external: {
        ...{ domain: 'example.org', mail: 'me@example.org' },
        dns: {
          provider: 'rfc2136',
          settings: { RFC2136_NAMESERVER: '10.0.10.1:53' },
          secrets: ['RFC2136_TSIG_SECRET'],
        },
      },
      timeServers: ['10.0.10.1', 'ntp.example.org'],
      providers: { mosquitto: 'adama' },
      backups: { near: 'rest:https://starbuck.lab:8000/', far: 'sftp:backup@example.org:/lab' },
      alerts: {
        webhook: 'http://ntfy.lab/alerts',
        mail: { to: 'me@a.b', from: 'lab@a.b', server: 'mail.lab:25', tls: 'none' },
      },
      registryMirrors: { debian: ['http://mirror.lab/debian'] },
    })
    expect(facts).toMatchObject({
      domain: 'home.example.org',
      networks: [
        {
          ...{ name: 'home', vlan: 10 },
          subnets: [
            { address: '10.0.10.0', prefix: 24 },
            { address: 'fd00:10::', prefix: 64 },
          ],
          ...{ gateways: ['10.0.10.1', 'fe80::1'], dns: ['9.9.9.9'] },
        },
        { name: 'things', gateways: [], dns: [] },
      ],
      external: { domain: 'example.org', dns: { provider: 'rfc2136', secrets: ['RFC2136_TSIG_SECRET'] } },
      timeServers: ['10.0.10.1', 'ntp.example.org'],
      providers: { mosquitto: 'adama' },
      backups: [
        { name: 'near', repository: 'rest:https://starbuck.lab:8000/' },
        { name: 'far', repository: 'sftp:backup@example.org:/lab' },
      ],
      alerts: { mail: { server: 'mail.lab:25', tls: 'none' } },
      registryMirrors: { debian: ['http://mirror.lab/debian'], 'debian-security': [] },
    })
  })

  it('the name servers of a network are its gateways by default', () => {
    const [network] = defineLab({ networks: { home: { subnet: '10.0.10.0/24', gateway: '10.0.10.1' } } }).networks
    expect(network?.dns).toEqual(['10.0.10.1'])
  })
})

describe('an unknown key of the lab file', () => {
  it.each([
    [{ domian: 'lab' }, "hosts/lab.ts: unknown key 'domian'", "did you mean 'domain'?"],
    [
      { networks: { home: { subnett: '10.0.10.0/24' } } },
      "unknown key 'networks.home.subnett'",
      "did you mean 'subnet'? allowed here: vlan, subnet, gateway, dns",
    ],
    [{ providers: { mosquito: 'adama' } }, "unknown key 'providers.mosquito'", "did you mean 'mosquitto'?"],
    [{ alerts: { web: 'http://a.b' } }, "unknown key 'alerts.web'", 'allowed here: webhook, mail'],
    [
      { external: { domain: 'a.b', mail: 'a@b.c', dns: { providr: 'x' } } },
      "unknown key 'external.dns.providr'",
      "did you mean 'provider'?",
    ],
  ])('is refused with the most similar key and all allowed keys: %j', refused)
})

describe('an invalid value of the lab file', () => {
  const home = (changes: object) => ({ networks: { home: { subnet: '10.0.10.0/24', ...changes } } })

  it.each<[object, string, string]>([
    [{ domain: 'Lab' }, "hosts/lab.ts at 'domain': 'Lab' is not a domain", "use a domain such as 'lab'"],
    [
      { networks: { Home: { subnet: '10.0.10.0/24' } } },
      "at 'networks.Home': 'Home' is not a name",
      'use at most 32 lower-case',
    ],
    [home({ vlan: 4095 }), "at 'networks.home.vlan': '4095' is too large, wanted 4094 or less", ''],
    [
      home({ subnet: '10.0.10.11/24' }),
      "at 'networks.home.subnet': '10.0.10.11/24' is not the first address of its network",
      "write '10.0.10.0/24'",
    ],
    [
      home({ subnet: [] }),
      "at 'networks.home.subnet': the list of subnets is empty",
      "add a subnet such as '10.0.10.0/24'",
    ],
    [
      home({ subnet: ['10.0.10.0/24', '10.0.10.128/25'] }),
      "the subnet '10.0.10.128/25' overlaps another one of the list",
      'remove one',
    ],
    [
      home({ gateway: '10.0.20.1' }),
      "at 'networks.home.gateway': the gateway '10.0.20.1' is not in '10.0.10.0/24'",
      "set 'gateway' to the router's address",
    ],
    [home({ gateway: '10.0.10.255' }), "the gateway '10.0.10.255' is the broadcast address of '10.0.10.0/24'", ''],
    [
      home({ dns: ['9.9.9.9', '10.0.10.0'] }),
      "at 'networks.home.dns': the name server '10.0.10.0' is the network address of '10.0.10.0/24'",
      '',
    ],
    [home({ gateway: 'fe80::1' }), "the gateway 'fe80::1' is not in '10.0.10.0/24'", ''],
    [
      home({ gateway: ['10.0.10.1', '10.0.10.2'] }),
      "'10.0.10.1' and '10.0.10.2' are two gateways for IPv4, wanted one",
      '',
    ],
    [{ timeServers: ['ntp..org'] }, "at 'timeServers.0': 'ntp..org' is not the name or the address of a server", ''],
    [{ providers: { mosquitto: 'Adama' } }, "at 'providers.mosquitto': invalid host name 'Adama'", ''],
    [{ backups: { far: '/backup' } }, "at 'backups.far': '/backup' is not a repository", "write 'rest:https://"],
    [{ alerts: { webhook: 'somewhere' } }, "at 'alerts.webhook': 'somewhere' is not a URL", ''],
    [{ registryMirrors: { debian: ['mirror.lab'] } }, "at 'registryMirrors.debian.0': 'mirror.lab' is not a URL", ''],
    [
      { external: { domain: 'a.b', mail: 'a@b.c', dns: { provider: 'hetzner', secrets: ['hetzner-key'] } } },
      "at 'external.dns.secrets.0': 'hetzner-key' is not an environment variable of lego",
      '',
    ],
    [
      { external: { domain: 'a.b', mail: 'a@b.c', dns: { provider: 'Hetzner DNS' } } },
      "at 'external.dns.provider': 'Hetzner DNS' is not a DNS provider of lego",
      'https://go-acme.github.io/lego/dns/',
    ],
  ])('is refused with its path: %j', refused)

  it.each([undefined, null, 'lab', []])('%j is not a lab file', (file) => {
    expect(() => defineLab(file as unknown as LabFile)).toThrow(/^hosts\/lab\.ts: /)
  })
})

describe('the networks of the lab file', () => {
  it('refuses two networks with the same VLAN id', () => {
    const networks = { home: { vlan: 10, subnet: '10.0.10.0/24' }, things: { vlan: 10, subnet: '10.0.20.0/24' } }
    refused({ networks }, "at 'networks.things.vlan': 'home' and 'things' have the same VLAN id: 10")
  })

  it('refuses two networks with an address in common', () => {
    const networks = { home: { subnet: '10.0.0.0/16' }, things: { vlan: 20, subnet: ['fd00::/64', '10.0.20.0/24'] } }
    refused({ networks }, "at 'networks.things.subnet': '10.0.20.0/24' overlaps '10.0.0.0/16' of the network 'home'")
  })

  it('accepts several networks without a VLAN id, and a link-local gateway for IPv6', () => {
    const networks = { home: { subnet: 'fd00::/64', gateway: 'fe80::1' }, things: { subnet: '10.0.20.0/24' } }
    expect(() => defineLab({ networks })).not.toThrow()
  })
})
