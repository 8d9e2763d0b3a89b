import { describe, expect, it } from 'vitest'
import { type IpAddress, parseIpAddress } from '../../images/ip-address.ts'
import {
  parseInterfaceAddress,
  parseMachineAddress,
  parseNeighbourAddress,
  roleInNetwork,
} from '../../images/machine-address.ts'

/** An address of each range that no machine can have, with the reason. */
const UNUSABLE: readonly (readonly [address: string, reason: string])[] = [
  ['0.0.0.0', 'this network'],
  ['0.1.2.3', 'this network'],
  ['127.0.0.53', 'loopback'],
  ['169.254.1.1', 'link-local'],
  ['224.0.0.251', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['ff02::1', 'multicast'],
  ['ff05::2', 'multicast'],
  ['fec0::1', 'site-local'],
  ['feff::1', 'site-local'],
  ['::1.2.3.4', 'in no range for machines'],
  ['100::1', 'in no range for machines'],
  ['d00::11', 'in no range for machines'],
  ['1fff::1', 'in no range for machines'],
  ['4000::1', 'in no range for machines'],
]
/** Addresses beside the unusable ranges, private addresses, and those for documentation. */
const USABLE = [
  ...['1.0.0.1', '126.0.0.1', '128.0.0.1', '169.253.0.1', '169.255.0.1', '223.255.255.254', '10.0.0.1', '192.0.2.1'],
  ...['2000::1', '3fff::1', '2001:db8::1', '2a00:1450::1', 'fc00::1', 'fd00::1', 'fdff::1', '64:ff9b::808:808'],
]
const MESSAGE = (address: string, reason: string) => new RegExp(`^'${address}' cannot be .*: .*${reason}`)

describe('the address of a machine', () => {
  it.each(UNUSABLE)('refuses %s: %s', (address, reason) => {
    expect(() => parseMachineAddress(address)).toThrow(MESSAGE(address, reason))
    expect(() => parseNeighbourAddress(address)).toThrow(MESSAGE(address, reason))
    expect(() => parseInterfaceAddress(`${address}/24`)).toThrow(MESSAGE(parseIpAddress(address), reason))
  })

  it.each(USABLE)('accepts %s', (address) => {
    expect([parseMachineAddress(address), parseNeighbourAddress(address)]).toEqual([address, address])
  })

  it('accepts a link-local IPv6 address for a router or a name server, and not for the host', () => {
    for (const address of ['fe80::1', 'febf::ff']) {
      expect(parseNeighbourAddress(address)).toBe(address)
      expect(() => parseMachineAddress(address)).toThrow(MESSAGE(address, 'link-local'))
    }
    expect(() => parseNeighbourAddress('fe7f::1')).toThrow('in no range for machines')
  })

  it('is stored in its only spelling, with the prefix length of its network', () => {
    expect(parseInterfaceAddress('FD00:0::0011/64')).toEqual({ address: 'fd00::11', prefix: 64 })
    expect(parseInterfaceAddress('10.0.10.11/24')).toEqual({ address: '10.0.10.11', prefix: 24 })
  })

  it.each([
    ...['10.0.10.11', '10.0.10.11/', '10.0.10.11/33', '10.0.10.11/024', '10.0.10.11/-1', '10.0.10.11/24/24', '/24'],
    ...['fd00::11', 'fd00::11/129', 'fd00::11/064', '[fd00::11]/64', 'fd00::11 /64', 'fd00::11/ffff::', ''],
  ])('refuses %j as an address with a prefix length', (text) => {
    expect(() => parseInterfaceAddress(text)).toThrow(
      `'${text}' is not an address with a prefix length such as '10.0.10.11/24' or 'fd00::11/64'`,
    )
  })
})

describe('the role of an address in a network', () => {
  it.each([
    ['192.0.2.0', '192.0.2.10/24', 'network'],
    ['192.0.2.255', '192.0.2.10/24', 'broadcast'],
    ['192.0.2.1', '192.0.2.10/24', undefined],
    ['192.0.3.255', '192.0.2.10/24', undefined],
    ['2001:db8::', '2001:db8::10/64', 'subnet-router anycast'],
    ['2001:db8::4', '2001:db8::6/126', 'subnet-router anycast'],
    ['2001:db8::ffff:ffff:ffff:ffff', '2001:db8::10/64', undefined],
    ['2001:db8::10', '2001:db8::10/127', undefined],
    ['2001:db8::11', '2001:db8::10/127', undefined],
    ['2001:db8::10', '2001:db8::10/128', undefined],
    ['192.0.2.0', '2001:db8::10/64', undefined],
  ])('%s in the network of %s: %s', (address, network, role) => {
    expect(roleInNetwork(address as IpAddress, parseInterfaceAddress(network))).toBe(role)
  })
})
