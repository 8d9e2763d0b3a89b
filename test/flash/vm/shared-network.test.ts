import { describe, expect, it } from 'vitest'
import { type Member, sharedNetwork } from '../../../flash/vm/shared-network.ts'
import { userNetwork } from '../../../flash/vm/subnet.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { userErrorOf } from '../../helpers/user-error.ts'

function member(name: string, addresses: string[], gateways: string[] = ['10.0.10.1'], dns: string[] = []): Member {
  return {
    name,
    network: {
      addresses: addresses.map(parseInterfaceAddress),
      ...{ gateways: gateways.map(parseIpAddress), dns: dns.map(parseIpAddress) },
    },
  }
}
const ADAMA = member('adama', ['10.0.10.11/24'])
const STARBUCK = member('starbuck', ['10.0.10.12/24'])

describe('sharedNetwork', () => {
  it('is the network of a single host for one host', () => {
    expect(sharedNetwork([ADAMA])).toEqual({ ipv4: userNetwork(ADAMA.network, 4), ipv6: undefined })
  })

  it('has the subnet and the gateway of all hosts', () => {
    const { ipv4, ipv6 } = sharedNetwork([ADAMA, STARBUCK])
    expect(ipv4).toMatchObject({ network: '10.0.10.0/24', gateway: '10.0.10.1' })
    expect(ipv6).toBeUndefined()
  })

  it('emulates no name server at the address of a host', () => {
    const resolver = member('resolver', ['10.0.10.5/24'], ['10.0.10.1'], ['10.0.10.5'])
    const user = member('user', ['10.0.10.6/24'], ['10.0.10.1'], ['10.0.10.5'])
    const highest = member('highest', ['10.0.10.238/24'])
    expect(sharedNetwork([user, resolver, highest]).ipv4?.dns).toBe('10.0.10.237')
  })

  it('connects hosts with both families and hosts with one of them', () => {
    const both = member('both', ['10.0.10.11/24', 'fd00::11/64'], ['10.0.10.1', 'fe80::1'])
    expect(sharedNetwork([both, STARBUCK]).ipv6?.network).toBe('fd00::/64')
    expect(sharedNetwork([both, member('six', ['fd00::12/64'], ['fd00::1'])]).ipv6?.gateway).toBe('fd00::1')
  })

  it('uses the gateway of the hosts that have one of the family', () => {
    const without = member('without', ['fd00::11/64', '10.0.10.11/24'])
    const six = member('six', ['fd00::12/64'], ['fd00::9'])
    expect(sharedNetwork([without, six]).ipv6?.gateway).toBe('fd00::9')
  })

  it('refuses a host that is named twice', () => {
    const { message, hint } = userErrorOf(() => sharedNetwork([ADAMA, STARBUCK, ADAMA]))
    expect(message).toBe("cannot boot 'adama' twice: only one machine can have its addresses")
    expect(hint).toBe('name each host once: npm run vm adama starbuck')
  })

  it.each<[string, Member, string]>([
    [
      'another subnet',
      member('far', ['10.0.20.12/24'], ['10.0.20.1']),
      "'adama' is in 10.0.10.0/24, and 'far' is in 10.0.20.0/24",
    ],
    ['another prefix', member('wide', ['10.0.10.12/23']), "'adama' is in 10.0.10.0/24, and 'wide' is in 10.0.10.0/23"],
    [
      'another gateway',
      member('odd', ['10.0.10.12/24'], ['10.0.10.2']),
      "'adama' has gateway 10.0.10.1, and 'odd' has gateway 10.0.10.2",
    ],
    ['the same address', member('twin', ['10.0.10.11/24']), "'adama' and 'twin' have the same address: 10.0.10.11"],
    [
      'the address of the gateway',
      member('router', ['10.0.10.1/24'], ['10.0.10.254']),
      "'router' has the address of the gateway, which QEMU emulates: 10.0.10.1",
    ],
    [
      'no family in common',
      member('six', ['fd00::12/64'], ['fd00::1']),
      'some have only IPv4 addresses, and some only IPv6 addresses',
    ],
  ])('refuses a host with %s', (_, other, reason) => {
    const { message, hint } = userErrorOf(() => sharedNetwork([ADAMA, other]))
    expect(message).toBe(`cannot boot 'adama', '${other.name}' on one virtual network: ${reason}`)
    expect(hint).toBe("change 'network' in the host files, or boot each host alone: npm run vm adama")
  })
})
