import { describe, expect, it } from 'vitest'
import { testHost } from '../../helpers/host.ts'

const network = (address: string, gateway = '192.0.2.1', dns?: string[]) => {
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
    ['0.1.2.3', 'this network'],
    ['127.0.0.53', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['224.0.0.251', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
  ])('refuses %s as an address, a gateway and a name server: %s', (given, reason) => {
    const message = (field: string) => new RegExp(`at '${field}': '${given}' cannot be .*${reason}`)
    expect(network(`${given}/24`)).toThrow(message('network.address'))
    expect(network('192.0.2.10/24', given)).toThrow(message('network.gateway'))
    expect(network('192.0.2.10/24', '192.0.2.1', ['192.0.2.1', given])).toThrow(message('network.dns.1'))
  })

  it.each(['1.0.0.1', '126.0.0.1', '128.0.0.1', '169.253.0.1', '169.255.0.1', '223.255.255.254'])(
    'accepts the name server %s beside a range that no machine can have',
    (server) => {
      expect(network('192.0.2.10/24', '192.0.2.1', [server])().network.dns).toEqual([server])
    },
  )

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
})
