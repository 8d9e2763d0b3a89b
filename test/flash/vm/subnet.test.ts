import { describe, expect, it } from 'vitest'
import { takesForwards, userNetwork } from '../../../flash/vm/subnet.ts'
import { familyOf, isInNetwork, parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { randomFrom } from '../../power-cut/random.ts'

const network = (addresses: string[], gateways: string[], dns: string[] = []) => ({
  addresses: addresses.map(parseInterfaceAddress),
  ...{ gateways: gateways.map(parseIpAddress), dns: dns.map(parseIpAddress) },
})
const of = (address: string, gateway: string, dns: string[] = []) =>
  userNetwork(network([address], [gateway], dns), address.includes(':') ? 6 : 4)

describe('userNetwork', () => {
  it("uses the host's subnet and gateway", () => {
    expect(of('10.0.10.11/24', '10.0.10.1', ['10.0.10.1'])).toEqual({
      ...{ address: '10.0.10.11', network: '10.0.10.0/24', gateway: '10.0.10.1' },
      ...{ dns: '10.0.10.238', leases: '10.0.10.239' },
    })
    expect(of('fd00::11/64', 'fd00::1', ['fd00::1', 'fd00::2'])).toMatchObject({
      ...{ address: 'fd00::11', network: 'fd00::/64', gateway: 'fd00::1', dns: 'fd00::2' },
    })
  })

  it("uses the host's name server if its address is inside the subnet and differs from the gateway", () => {
    expect(of('10.0.10.11/24', '10.0.10.1', ['9.9.9.9', '10.0.10.5'])?.dns).toBe('10.0.10.5')
  })

  it('never uses the address of the host', () => {
    expect(of('10.0.10.238/24', '10.0.10.1', ['10.0.10.238'])?.dns).toBe('10.0.10.237')
  })

  it('computes subnets for addresses above 127', () => {
    expect(of('192.168.77.200/22', '192.168.76.1')?.network).toBe('192.168.76.0/22')
  })

  it.each([
    ['fd00::11/64', 'fe80::1', 'fd00::1'],
    ['2001:db8:1::11/48', 'fe80::a:b:c:d', '2001:db8:1:0:a:b:c:d'],
    ['fd00::11/96', 'fe80::1', 'fd00::1'],
  ])('gives QEMU the address in %s that makes it answer at the link-local gateway %s', (address, gateway, wanted) => {
    expect(of(address, gateway)?.gateway).toBe(wanted)
  })

  it('has no network for a family that the host has no address of', () => {
    expect(userNetwork(network(['10.0.10.11/24'], ['10.0.10.1']), 6)).toBeUndefined()
    expect(userNetwork(network(['fd00::11/64'], ['fe80::1']), 4)).toBeUndefined()
  })

  it('has the network of the address that reaches the gateway', () => {
    const made = userNetwork(network(['fd01::11/64', 'fd00::11/64'], ['fd00::1']), 6)
    expect([made?.address, made?.network]).toEqual(['fd00::11', 'fd00::/64'])
  })

  it('has four different addresses in one network for any host, also without a gateway of the family', () => {
    const random = randomFrom(7, 1)
    for (let round = 0; round < 500; round++) {
      const octet = () => 1 + Math.floor(random() * 62)
      const [ipv4, ipv6] = [`10.0.10.${octet()}/${8 + Math.floor(random() * 19)}`, `fd00::${octet()}/64`]
      const host = network([ipv4, ipv6], [random() < 0.5 ? '10.0.10.63' : 'fe80::ff'])
      for (const family of [4, 6] as const) {
        const { address, gateway, dns, leases, network: subnet } = userNetwork(host, family) ?? {}
        const used = [address, gateway, dns, leases].flatMap((each) => (each === undefined ? [] : [each]))
        const inside = { address: parseIpAddress(subnet?.split('/')[0] ?? ''), prefix: Number(subnet?.split('/')[1]) }
        expect(new Set(used).size, `${ipv4} ${ipv6} ${used}`).toBe(4)
        expect(used.filter((each) => familyOf(each) !== family || !isInNetwork(each, inside))).toEqual([])
      }
    }
  })

  it.each([
    ['10.0.10.11/24', '10.0.11.1', 26],
    ['10.0.10.11/30', '10.0.10.9', 26],
    ['fd00::11/64', 'fd00:0:0:1::1', 122],
    ['fd00::11/123', 'fe80::1', 122],
    ['fd00::11/96', 'fe80::1:0:0:1', 122],
  ])('refuses the subnet %s with gateway %s', (address, gateway, prefix) => {
    expect(() => of(address, gateway)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(`^cannot emulate network '${address}' with gateway '`),
        hint: `in the host file, use a prefix of at most /${prefix} and a gateway inside that network`,
      }),
    )
  })
})

describe('takesForwards', () => {
  it('is true for a host with an IPv4 address, because QEMU forwards to IPv4 only', () => {
    expect(takesForwards(network(['fd00::11/64', '10.0.10.11/24'], ['fe80::1']))).toBe(true)
    expect(takesForwards(network(['fd00::11/64'], ['fe80::1']))).toBe(false)
  })
})
