import { describe, expect, it } from 'vitest'
import { interfaceText } from '../../images/ip-address.ts'
import { parseSubnet, subnetsOverlap } from '../../images/subnet.ts'

describe('parseSubnet', () => {
  it.each([
    ['10.0.10.0/24', '10.0.10.0/24'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['FD00:10:0::/64', 'fd00:10::/64'],
    ['fd00::10/128', 'fd00::10/128'],
  ])('parses %s', (text, expected) => {
    expect(interfaceText(parseSubnet(text))).toBe(expected)
  })

  it.each(['', '10.0.10.0', '10.0.10/24', '10.0.10.0/024', '10.0.10.0/33', 'fd00::/129', '10.0.10.0/24/24', 'lan/24'])(
    'refuses %j, which is not a network',
    (text) => {
      expect(() => parseSubnet(text)).toThrow(`'${text}' is not a network such as`)
    },
  )

  it.each(['10.0.10.0/31', '0.0.0.0/0', 'fd00::/7'])('refuses the prefix length of %s', (text) => {
    expect(() => parseSubnet(text)).toThrow(/has the prefix length \d+, wanted 8 to (30|128)$/)
  })

  it.each([
    ['10.0.10.11/24', '10.0.10.0/24'],
    ['fd00:10::1/64', 'fd00:10::/64'],
  ])('refuses the address %s of a machine, and names the network', (text, network) => {
    const error = { message: `'${text}' is not the first address of its network`, hint: `write '${network}'` }
    expect(() => parseSubnet(text)).toThrow(expect.objectContaining(error))
  })
})

describe('subnetsOverlap', () => {
  it.each([
    ['10.0.0.0/16', '10.0.10.0/24', true],
    ['10.0.10.0/24', '10.0.10.0/24', true],
    ['10.0.10.0/25', '10.0.10.128/25', false],
    ['10.0.0.0/8', 'fd00::/8', false],
    ['fd00::/56', 'fd00:0:0:ff::/64', true],
  ])('%s and %s: %s', (one, other, expected) => {
    expect(subnetsOverlap(parseSubnet(one), parseSubnet(other))).toBe(expected)
    expect(subnetsOverlap(parseSubnet(other), parseSubnet(one))).toBe(expected)
  })
})
