import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from '../../../flash/ssh/address.ts'
import { knownHosts } from '../../../flash/ssh/ssh-arguments.ts'

describe('parseAddress', () => {
  it.each([
    ['10.0.10.11', '10.0.10.11', 22],
    ['adama.lab:2222', 'adama.lab', 2222],
    ['[fd00::1]:2222', 'fd00::1', 2222],
    ['fd00::1', 'fd00::1', 22],
    ['fe80::1%eth0', 'fe80::1%eth0', 22],
    ['[fe80::1%eth0.100]:2222', 'fe80::1%eth0.100', 2222],
    ['127.0.0.1:2201', '127.0.0.1', 2201],
    ['[::1]:2201', '::1', 2201],
    ['1-2.lab', '1-2.lab', 22],
    ['10.example.org', '10.example.org', 22],
    ['dead.beef:22222', 'dead.beef', 22222],
  ])('parses the address %s, and formatAddress writes it back', (text, address, port) => {
    expect(parseAddress(text)).toEqual({ address, port })
    expect(formatAddress(parseAddress(text))).toBe(text)
  })

  it.each([
    ['FD00:0:0::0011', 'fd00::11'],
    ['[FD00::0011]:22', 'fd00::11'],
    ['fd00::192.0.2.1', 'fd00::c000:201'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['10.0.10.11:22', '10.0.10.11'],
    ['adama.lab:22', 'adama.lab'],
  ])('writes %s in its only spelling, without the default port: %s', (text, formatted) => {
    expect(formatAddress(parseAddress(text))).toBe(formatted)
  })

  it.each([
    ...[
      'fd00:::1',
      'fd00::1:99999:',
      '[fd00::1',
      'fd00::1]',
      '[fd00::1]:',
      '[fd00::1]:0',
      '[fd00::1]:65536',
      '[]:22',
      '::ffff:10.0.0.1',
    ],
    ...[
      'fd00::1%eth0',
      'fe80::1%',
      'fe80::1%a b',
      "fe80::1%a'b",
      'fe80::1%$(id)',
      'fe80::1%abcdefghijklmnop',
      'adama%eth0',
      '10.0.0.1%eth0',
    ],
    ...['10.0.10.300', '010.0.0.1', '10.0.1', '167772161', '0x0a000001', '10.0.0.0x1', '10.0.0.1/24', 'fd00::1/64'],
  ])('refuses the address %j, which programs would read in different ways or not at all', (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `'${text}' is not an address, wanted ADDRESS or ADDRESS:PORT`,
        hint: expect.stringContaining('--at [fd00::1]:2222'),
      }),
    )
  })

  it.each(['', '-oProxyCommand=x', 'a b', '10.0.0.1:0', '10.0.0.1:70000', '[adama]:22', 'root@adama', 'a;b'])(
    'refuses the address %j',
    (text) => expect(() => parseAddress(text)).toThrow('is not an address'),
  )
})

describe('knownHosts', () => {
  it('writes the pinned keys under the name of the host, without comments', () => {
    expect(knownHosts('adama', ['ssh-ed25519 AAAA me@here', 'ssh-ed25519 BBBB'])).toBe(
      'adama ssh-ed25519 AAAA\nadama ssh-ed25519 BBBB\n',
    )
  })

  it('refuses an empty list and keys with line breaks', () => {
    expect(() => knownHosts('adama', [])).toThrow("the project has no host key of 'adama'")
    expect(() => knownHosts('adama', ['ssh-ed25519 AAAA\n* ssh-ed25519 CCCC'])).toThrow('wanted')
  })
})
