import { describe, expect, it } from 'vitest'
import { labProblems } from '../../../hosts/schema/lab.ts'
import { defineLab, type LabFile } from '../../../hosts/schema/lab-file.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseHostName } from '../../../images/names.ts'
import { BASE_OFFER } from '../../../overlays/base/offer.ts'
import type { LabHost } from '../../../overlays/lab-facts.ts'
import type { Offer } from '../../../overlays/offer.ts'
import { randomFrom } from '../../power-cut/random.ts'

const offer = (name: string): Offer => ({ name, ports: [], metrics: [], alerts: [], dashboards: [] })

const at = (name: string, addresses: readonly string[], services: readonly string[] = []): LabHost => ({
  name: parseHostName(name),
  addresses: addresses.map(parseIpAddress),
  offers: [BASE_OFFER, ...services.map(offer)],
})

const problemsOf = (hosts: readonly LabHost[], file: LabFile = {}, unread: readonly string[] = []) =>
  labProblems({ facts: defineLab(file), hosts }, unread).map(({ hosts, error }) => ({
    hosts,
    message: error.message,
    hint: error.hint,
  }))

describe('the addresses of a lab', () => {
  it.each([
    ['the same spelling', ['192.0.2.10'], ['192.0.2.10'], '192.0.2.10'],
    ['another spelling', ['fd00::11'], ['FD00:0:0::0011'], 'fd00::11'],
    ['a dotted end', ['fd00::c000:20b'], ['fd00::192.0.2.11'], 'fd00::c000:20b'],
    ['an address besides others', ['192.0.2.10', 'fd00::11'], ['fd00::12', 'fd00::11'], 'fd00::11'],
  ])('two hosts must not have the same address: %s', (_, one, two, address) => {
    expect(problemsOf([at('one', one), at('two', two), at('three', ['192.0.2.99'])])).toEqual([
      {
        hosts: ['one', 'two'],
        message: `'one' and 'two' have the same address: ${address}`,
        hint: "change 'network.address' in hosts/one.ts or hosts/two.ts",
      },
    ])
  })

  const networks = {
    home: { subnet: ['10.0.10.0/24', 'fd00:10::/64'], gateway: '10.0.10.1' },
    things: { vlan: 20, subnet: '10.0.20.0/24' },
  }

  it('an address must be in a network of the lab file', () => {
    expect(problemsOf([at('one', ['10.0.10.11', '10.0.30.11']), at('two', ['10.0.20.2'])], { networks })).toEqual([
      {
        hosts: ['one'],
        message:
          "hosts/one.ts at 'network.address': '10.0.30.11' is in no network of hosts/lab.ts: 10.0.10.0/24 (home), fd00:10::/64 (home), 10.0.20.0/24 (things)",
        hint: "change 'network.address' in hosts/one.ts, or add the subnet to 'networks' in hosts/lab.ts",
      },
    ])
  })

  it('an address may be anywhere if the lab file has no networks', () => {
    expect(problemsOf([at('one', ['10.0.30.11'])])).toEqual([])
  })

  it('a host must not have the address of a gateway', () => {
    expect(problemsOf([at('one', ['10.0.10.1'])], { networks })).toEqual([
      expect.objectContaining({
        hosts: ['one'],
        message: "hosts/one.ts at 'network.address': '10.0.10.1' is the address of the gateway of 'home'",
      }),
    ])
  })
})

describe('the names of a lab', () => {
  it('a host must not have the name of a service that a host runs', () => {
    const hosts = [at('adama', ['192.0.2.1'], ['mosquitto']), at('mosquitto', ['192.0.2.2'])]
    expect(problemsOf(hosts, { domain: 'home' })).toEqual([
      {
        hosts: ['mosquitto', 'adama'],
        message: "hosts/mosquitto.ts at 'name': the service 'mosquitto' on adama has the name 'mosquitto.home' too",
        hint: 'rename the host: its file, the name in it and the files of its identity',
      },
    ])
  })

  it("a host may have the name 'host', which stands for the host itself in connections", () => {
    expect(problemsOf([at('host', ['192.0.2.1'])])).toEqual([])
  })
})

describe('the providers of a lab', () => {
  const hosts = [at('adama', ['192.0.2.1'], ['mosquitto']), at('starbuck', ['192.0.2.2'], ['prometheus'])]

  it.each([
    ['boomer', "hosts/lab.ts at 'providers.mosquitto': no host has the name 'boomer'"],
    ['starbuck', "hosts/lab.ts at 'providers.mosquitto': 'starbuck' does not run 'mosquitto'"],
  ])('a provider must be a host that runs the service: %s', (mosquitto, message) => {
    expect(problemsOf(hosts, { providers: { mosquitto } })).toEqual([
      { hosts: 'all', message, hint: "hosts that run 'mosquitto': adama" },
    ])
  })

  it('a provider of a service that no host runs has to be removed', () => {
    expect(problemsOf(hosts, { providers: { alertmanager: 'adama' } })).toMatchObject([
      { hint: "remove 'providers.alertmanager', or add 'alertmanager' to a host" },
    ])
  })

  it('leaves a provider without a valid host file to the commands that need it', () => {
    expect(problemsOf(hosts, { providers: { mosquitto: 'boomer' } }, ['boomer'])).toEqual([])
  })
})

describe('any lab', () => {
  /** A lab without problems: other names and other addresses for each host, all in the networks of the lab file. */
  const randomLab = (seed: number) => {
    const random = randomFrom(7, seed)
    const below = (count: number) => Math.floor(random() * count)
    const count = 2 + below(30)
    const hosts = Array.from({ length: count }, (_, index) => {
      const ipv4 = `10.${below(2)}.0.${index + 2}`
      const ipv6 = `fd00:${below(2)}::${(index + 2).toString(16)}`
      const addresses = [[ipv4], [ipv6], [ipv4, ipv6], [ipv6, ipv4]][below(4)] ?? []
      const services = ['mosquitto', 'prometheus', 'alertmanager'].filter(() => below(2) === 1)
      return at(`host-${index}`, addresses, services)
    })
    const networks = {
      zero: { subnet: ['10.0.0.0/24', 'fd00::/64'], gateway: '10.0.0.1' },
      one: { vlan: 1, subnet: ['10.1.0.0/24', 'fd00:1::/64'], gateway: ['fe80::1', '10.1.0.1'] },
    }
    const providers = Object.fromEntries(
      hosts.flatMap(({ name, offers }) => offers.slice(1).map((each) => [each.name, name])),
    )
    return { hosts, file: { networks, providers } satisfies LabFile, below }
  }
  const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

  it('has no problems without a mistake', () => {
    for (const seed of SEEDS) {
      const { hosts, file } = randomLab(seed)
      expect([seed, problemsOf(hosts, file)]).toEqual([seed, []])
    }
  })

  it('has a problem, for exactly the two hosts that share an address', () => {
    for (const seed of SEEDS) {
      const { hosts, file, below } = randomLab(seed)
      const from = below(hosts.length)
      const to = (from + 1 + below(hosts.length - 1)) % hosts.length
      const shared = hosts[from]?.addresses.at(-1) ?? parseIpAddress('::1')
      const mistaken = hosts.map((host, at) => (at === to ? { ...host, addresses: [...host.addresses, shared] } : host))
      const found = problemsOf(mistaken, file)
      expect([seed, found.map((each) => [...each.hosts].sort())]).toEqual([
        seed,
        [[hosts[from]?.name, hosts[to]?.name].sort()],
      ])
      expect(found[0]?.message).toContain(shared)
    }
  })

  it('has a problem for one host outside of its networks, with the name of a service, or with a wrong provider', () => {
    for (const seed of SEEDS) {
      const { hosts, file, below } = randomLab(seed)
      const [first, ...others] = hosts
      if (first === undefined) throw new Error('the lab has no host')
      const outside = { ...first, addresses: [parseIpAddress(`10.${2 + below(200)}.0.2`)] }
      expect([seed, problemsOf([outside, ...others], file)]).toEqual([
        seed,
        [expect.objectContaining({ hosts: ['host-0'] })],
      ])
      const named = { ...first, name: parseHostName('mosquitto'), offers: [BASE_OFFER, offer('mosquitto')] }
      const { mosquitto: _, ...providers } = file.providers as Record<string, string>
      const kept = Object.fromEntries(Object.entries(providers).filter(([, name]) => name !== first.name))
      expect(problemsOf([named, ...others], { ...file, providers: kept })).toMatchObject([
        { message: expect.stringContaining("at 'name'") },
      ])
      expect(problemsOf(hosts, { ...file, providers: { ...file.providers, mosquitto: 'boomer' } })).toMatchObject([
        { hosts: 'all' },
      ])
    }
  })
})
