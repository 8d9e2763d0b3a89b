import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from '../../../flash/ssh/address.ts'
import { knownHosts } from '../../../flash/ssh/ssh-arguments.ts'

describe('an address', () => {
  it.each([
    ['10.0.10.11', '10.0.10.11', 22],
    ['adama.lab:2222', 'adama.lab', 2222],
    ['[fd00::1]:2222', 'fd00::1', 2222],
    ['fd00::1', 'fd00::1', 22],
  ])('%s is read, and written as it was', (text, address, port) => {
    expect(parseAddress(text)).toEqual({ address, port })
    expect(formatAddress(parseAddress(text))).toBe(text)
  })

  it.each(['', '-oProxyCommand=x', 'a b', '10.0.0.1:0', '10.0.0.1:70000', '[adama]:22', 'root@adama', 'a;b'])(
    '%j is none',
    (text) => expect(() => parseAddress(text)).toThrow('is no address'),
  )
})

describe('known hosts', () => {
  it('are the pinned keys under the name of the host, without comments', () => {
    expect(knownHosts('adama', ['ssh-ed25519 AAAA me@here', 'ssh-ed25519 BBBB'])).toBe(
      'adama ssh-ed25519 AAAA\nadama ssh-ed25519 BBBB\n',
    )
  })

  it('are never none, and hold no lines of their own', () => {
    expect(() => knownHosts('adama', [])).toThrow("no host key of 'adama' is known")
    expect(() => knownHosts('adama', ['ssh-ed25519 AAAA\n* ssh-ed25519 CCCC'])).toThrow('wanted')
  })
})
