import { describe, expect, it } from 'vitest'
import { testHost } from '../../helpers/host.ts'

type OneOrMore = string | string[]

const network = (address: OneOrMore, gateway: OneOrMore = '192.0.2.1', dns?: OneOrMore) => {
  const given = { address, gateway, ...(dns === undefined ? {} : { dns }) }
  return () => testHost({ network: given })
}

describe('the network of a host', () => {
  it.each(['192.0.2.10/24', '192.0.2.2/30', '192.10.0.1/8'])('accepts the network %s', (address) => {
    expect(network(address)).not.toThrow()
  })

  it.each([
    ['192.0.3.10/24', "the gateway '192.0.2.1' is not another machine in the network of '192.0.3.10/24'"],
    ['192.0.2.10/29', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.1/24', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.0/24', "'192.0.2.0/24' is the network address of its network"],
    ['192.0.2.255/24', "'192.0.2.255/24' is the broadcast address of its network"],
    ['192.0.2.2/31', "the network's prefix length is 31, wanted 8 to 30"],
    ['192.0.2.2/7', "the network's prefix length is 7"],
  ])('refuses the network %s: %s', (address, message) => {
    expect(network(address)).toThrow(message)
  })

  it.each([
    ['192.0.2.0', "the gateway '192.0.2.0' is the network address of the network of '192.0.2.10/24'"],
    ['192.0.2.255', "the gateway '192.0.2.255' is the broadcast address"],
  ])('refuses the gateway %s, which no machine can have', (gateway, message) => {
    expect(network('192.0.2.10/24', gateway)).toThrow(`hosts/tiny.ts at 'network.gateway': ${message}`)
  })

  it.each([
    ['0.0.0.0', 'this network'],
    ['127.0.0.53', 'loopback'],
    ['::1', 'loopback'],
    ['ff02::1', 'multicast'],
  ])('refuses %s as an address, a gateway and a name server: %s', (given, reason) => {
    const message = (field: string) => new RegExp(`at '${field}': '${given}' cannot be .*${reason}`)
    expect(network(`${given}/24`)).toThrow(message('network.address'))
    expect(network('192.0.2.10/24', given)).toThrow(message('network.gateway'))
    expect(network('192.0.2.10/24', '192.0.2.1', ['192.0.2.1', given])).toThrow(message('network.dns.1'))
  })

  it('refuses a name server that is the network or the broadcast address', () => {
    const message = "at 'network.dns.1': the name server '192.0.2.255' is the broadcast address"
    expect(network('192.0.2.10/24', '192.0.2.1', ['198.51.100.255', '192.0.2.255'])).toThrow(message)
  })

  it('uses the gateway as the name server by default, and refuses an empty list', () => {
    expect(network('192.0.2.10/24')().network.dns).toEqual(['192.0.2.1'])
    expect(network('192.0.2.10/24', '192.0.2.1', [])).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("at 'network.dns': the list of name servers is empty"),
        hint: expect.stringContaining("remove 'network.dns' to use the gateway"),
      }),
    )
  })

  it.each([
    ['an IPv4 host', '192.0.2.10/24', '192.0.2.1', ['192.0.2.10/24'], ['192.0.2.1']],
    ['an IPv6 host', '2001:DB8:0::0010/64', '2001:db8::1', ['2001:db8::10/64'], ['2001:db8::1']],
    ['a link-local gateway', '2001:db8::10/64', 'FE80::1', ['2001:db8::10/64'], ['fe80::1']],
    ['one address in its network', '2001:db8::10/128', 'fe80::1', ['2001:db8::10/128'], ['fe80::1']],
    ['two addresses in their network', '2001:db8::/127', '2001:db8::1', ['2001:db8::/127'], ['2001:db8::1']],
    [
      'the last address of an IPv6 network',
      'fd00::ffff:ffff:ffff:ffff/64',
      'fd00::1',
      ['fd00::ffff:ffff:ffff:ffff/64'],
      ['fd00::1'],
    ],
    [
      'both',
      ['fd00::10/64', '192.0.2.10/24'],
      ['192.0.2.1', 'fe80::1'],
      ['fd00::10/64', '192.0.2.10/24'],
      ['192.0.2.1', 'fe80::1'],
    ],
    [
      'both, and a router for IPv4 only',
      ['192.0.2.10/24', 'fd00::10/64', 'fd00::1:10/64'],
      ['192.0.2.1'],
      ['192.0.2.10/24', 'fd00::10/64', 'fd00::1:10/64'],
      ['192.0.2.1'],
    ],
  ])(
    'accepts %s, and keeps each address in its only spelling and in its place',
    (_, address, gateway, own, routers) => {
      const { addresses, gateways, dns } = network(address, gateway)().network
      expect(addresses.map((each) => `${each.address}/${each.prefix}`)).toEqual(own)
      expect([gateways, dns]).toEqual([routers, routers])
    },
  )

  it('accepts one name server, or several of both families', () => {
    const both = ['192.0.2.10/24', 'fd00::10/64']
    expect(network(both, '192.0.2.1', '9.9.9.9')().network.dns).toEqual(['9.9.9.9'])
    const servers = ['2620:FE::FE', 'fe80::1', '192.0.2.1']
    expect(network(both, '192.0.2.1', servers)().network.dns).toEqual(['2620:fe::fe', 'fe80::1', '192.0.2.1'])
  })

  it.each<[OneOrMore, OneOrMore, OneOrMore | undefined, string, string]>([
    [[], '192.0.2.1', undefined, 'network.address', 'the list of addresses is empty'],
    ['192.0.2.10/24', [], undefined, 'network.gateway', 'the list of gateways is empty'],
    [
      'fd00::/64',
      'fd00::1',
      undefined,
      'network.address',
      "'fd00::/64' is the subnet-router anycast address of its network",
    ],
    ['fd00::10/7', 'fd00::1', undefined, 'network.address', "the network's prefix length is 7, wanted 8 to 128"],
    [
      'fe80::10/64',
      'fe80::1',
      undefined,
      'network.address',
      "'fe80::10' cannot be the address of a machine: routers do not",
    ],
    [
      ['fd00::10/64', 'FD00:0::10/48'],
      'fd00::1',
      undefined,
      'network.address.1',
      "the list has the address 'fd00::10' twice",
    ],
    [
      'fd00::10/64',
      'fd00:0:0:1::1',
      undefined,
      'network.gateway',
      "the gateway 'fd00:0:0:1::1' is not another machine in the network of 'fd00::10/64'",
    ],
    ['fd00::10/64', 'FD00::0010', undefined, 'network.gateway', "the gateway 'fd00::10' is not another machine"],
    ['fd00::10/128', 'fd00::1', undefined, 'network.gateway', "the gateway 'fd00::1' is not another machine"],
    [
      'fd00::10/64',
      '192.0.2.1',
      undefined,
      'network.gateway',
      "the gateway '192.0.2.1' is an IPv4 address, and the host has no IPv4 address",
    ],
    [
      '192.0.2.10/24',
      ['192.0.2.1', 'fe80::1'],
      undefined,
      'network.gateway.1',
      "the gateway 'fe80::1' is an IPv6 address, and the host has no IPv6 address",
    ],
    [
      ['192.0.2.10/24', 'fd00::10/64'],
      ['fd00::1', 'fe80::1'],
      undefined,
      'network.gateway.1',
      "'fd00::1' and 'fe80::1' are two gateways for IPv6, wanted one",
    ],
    [
      '192.0.2.10/24',
      '192.0.2.1',
      'fd00::1',
      'network.dns',
      "the name server 'fd00::1' is an IPv6 address, and the host has no IPv6 address",
    ],
    ['fd00::10/64', 'fd00::1', ['fd00::1', '9.9.9.9'], 'network.dns.1', "the name server '9.9.9.9' is an IPv4 address"],
    ['fd00::10/64', 'fe80::1%end0', undefined, 'network.gateway', "'fe80::1%end0' is not an IP address"],
    ['192.0.2.10/24', '::ffff:192.0.2.1', undefined, 'network.gateway', "'::ffff:192.0.2.1' is not an IP address"],
  ])(
    'refuses the addresses %j with the gateways %j and the name servers %j',
    (address, gateway, dns, field, message) => {
      expect(network(address, gateway, dns as string[])).toThrow(`hosts/tiny.ts at '${field}': ${message}`)
    },
  )

  it.each([[5], [null], [undefined], [{}], [['192.0.2.10/24', 5]]])('refuses %j as an address', (address) => {
    const message =
      /^hosts\/tiny\.ts at 'network\.address': Invalid input: expected string or a list of strings, received/
    expect(network(address as unknown as string)).toThrow(message)
  })
})
