import { BlockList, isIP, SocketAddress } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  addressAt,
  bitsOf,
  familyOf,
  type IpAddress,
  ipAddress,
  isInNetwork,
  numberOf,
  parseIpAddress,
} from '../../images/ip-address.ts'
import { type Random, randomFrom } from '../power-cut/random.ts'

const below = (random: Random, end: number) => Math.floor(random() * end)
const family = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4')
/** The spelling of the C library, which writes addresses in ::/96 and ::ffff:0:0/96 with an IPv4 address at the end. */
const ofSystem = (text: string) => new SocketAddress({ address: text, family: family(text) }).address

/** Eight groups with many zeros, without the two ranges that contain IPv4 addresses. */
function randomGroups(random: Random): number[] {
  const group = () => (random() < 0.5 ? 0 : random() < 0.3 ? below(random, 16) : below(random, 65536))
  const groups = Array.from({ length: 8 }, group)
  if (groups.slice(0, 5).every((each) => each === 0)) groups[below(random, 5)] = 1 + below(random, 65535)
  return groups
}

/** One of the spellings of an address: capital letters, leading zeros, any run of zeros as `::`, an IPv4 address at the end. */
function spelling(groups: readonly number[], random: Random): string {
  const hex = (group: number) => {
    const text = group.toString(16).padStart(1 + below(random, 4), '0')
    return random() < 0.5 ? text.toUpperCase() : text
  }
  const [high = 0, low = 0] = groups.slice(6)
  const dotted = random() < 0.3
  const words = (dotted ? groups.slice(0, 6) : groups).map(hex)
  if (dotted) words.push([high >> 8, high & 255, low >> 8, low & 255].join('.'))
  const start = below(random, words.length)
  const run = words.slice(start).findIndex((word) => !/^0+$/.test(word))
  const end = run === -1 ? words.length : start + run
  if (end === start || random() < 0.3) return words.join(':')
  return `${words.slice(0, start).join(':')}::${words.slice(end).join(':')}`
}

const randomIpv4 = (random: Random) => Array.from({ length: 4 }, () => below(random, 256)).join('.')
const randomAddress = (random: Random) =>
  parseIpAddress(random() < 0.3 ? randomIpv4(random) : spelling(randomGroups(random), random))

describe('an IP address', () => {
  it('has one text for all its spellings, the one that the C library writes', () => {
    const random = randomFrom(6, 1)
    for (let round = 0; round < 3000; round++) {
      const groups = randomGroups(random)
      const spellings = Array.from({ length: 3 }, () => spelling(groups, random))
      const wanted = ofSystem(groups.map((group) => group.toString(16)).join(':'))
      expect(spellings.map((text) => [text, ipAddress(text)])).toEqual(spellings.map((text) => [text, wanted]))
      expect(parseIpAddress(wanted)).toBe(wanted)
    }
  })

  it.each([
    ['FD00:0:0:0:0:0:0:0011', 'fd00::11'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['10.0.10.1', '10.0.10.1'],
  ])('is written as RFC 5952 recommends: %s as %s', (text, wanted) => {
    expect(parseIpAddress(text)).toBe(wanted)
  })

  it('is accepted if the C library accepts it, except IPv4 addresses in the notation of IPv6', () => {
    const random = randomFrom(6, 2)
    const parts = [
      ':',
      '::',
      '.',
      '0',
      '1',
      'f',
      'ffff',
      '0ffff',
      '12345',
      '255',
      '256',
      '010',
      'g',
      '%',
      '%lo',
      '/',
      ' ',
      '-1',
      '1.2.3.4',
    ]
    const differing = Array.from({ length: 30_000 }, () => {
      const valid = random() < 0.3 ? randomIpv4(random) : spelling(randomGroups(random), random)
      const part = () => parts[below(random, parts.length)] ?? ''
      const at = below(random, valid.length + 1)
      const [cut, odd] = [below(random, 3), Array.from({ length: below(random, 4) }, part).join('')]
      return random() < 0.3 ? odd : valid.slice(0, at) + odd + valid.slice(at + cut)
    }).filter((text) => {
      const isAddress = isIP(text) !== 0 && !text.includes('%') && !/^::ffff:\d+\./.test(ofSystem(text))
      return (ipAddress(text) !== undefined) !== isAddress
    })
    expect(differing).toEqual([])
  })

  it.each([
    ['10.0.10.1/24', 'leave the prefix length out'],
    ['fe80::1%eth0', "leave out '%' and the interface"],
    ['::ffff:10.0.0.1', 'write the IPv4 address alone'],
    ['::FFFF:a00:1', 'write the IPv4 address alone'],
    ['fd00:::1', "'::' stands for zeros, once"],
    ['[fd00::1]', 'hexadecimal'],
    ['010.0.0.1', 'without leading zeros'],
    ['10.0.1', 'four numbers'],
    ['0x0a000001', 'four numbers'],
    ['167772161', 'four numbers'],
    ['router.lab', 'four numbers'],
    ['１０.0.0.1', 'four numbers'],
    ['', 'four numbers'],
  ])('refuses %j with a hint', (text, hint) => {
    expect(() => parseIpAddress(text)).toThrow(
      expect.objectContaining({
        message: `'${text}' is not an IP address such as '10.0.10.1' or 'fd00::1'`,
        hint: expect.stringContaining(hint),
      }),
    )
  })

  it('is a number with the bits of its family, and the number gives the address back', () => {
    const random = randomFrom(6, 3)
    for (let round = 0; round < 3000; round++) {
      const address = randomAddress(random)
      expect(addressAt(familyOf(address), numberOf(address))).toBe(address)
    }
    expect(numberOf('10.0.10.1' as IpAddress)).toBe(0x0a000a01n)
    expect(numberOf('fd00::1:2' as IpAddress)).toBe((0xfdn << 120n) + 0x10002n)
    expect(numberOf('::' as IpAddress)).toBe(0n)
  })

  it("is in a network exactly if Node's BlockList says so", () => {
    const random = randomFrom(6, 4)
    for (let round = 0; round < 3000; round++) {
      const network = randomAddress(random)
      const bits = bitsOf(network)
      const prefix = below(random, bits + 1)
      const flipped = addressAt(familyOf(network), numberOf(network) ^ (1n << BigInt(below(random, bits))))
      const list = new BlockList()
      list.addSubnet(network, prefix, family(network))
      for (const address of [network, flipped, randomAddress(random)]) {
        const isSameFamily = familyOf(address) === familyOf(network)
        const wanted = isSameFamily && list.check(address, family(address))
        expect([address, network, prefix, isInNetwork(address, { address: network, prefix })]).toEqual([
          ...[address, network, prefix, wanted],
        ])
      }
    }
  })
})
