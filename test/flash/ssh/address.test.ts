import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from '../../../flash/ssh/address.ts'
import { knownHosts } from '../../../flash/ssh/ssh-arguments.ts'

describe('parseAddress', () => {
  it.each([
    ['10.0.10.11', '10.0.10.11', 22],
    ['adama.lab:2222', 'adama.lab', 2222],
    ['[fd00::1]:2222', 'fd00::1', 2222],
    ['fd00::1', 'fd00::1', 22],
  ])('parses the address %s, and formatAddress writes it back', (text, address, port) => {
    expect(parseAddress(text)).toEqual({ address, port })
    expect(formatAddress(parseAddress(text))).toBe(text)
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
