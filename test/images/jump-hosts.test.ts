import { describe, expect, it } from 'vitest'
import { parseJumpHosts } from '../../images/jump-hosts.ts'

describe('parseJumpHosts', () => {
  it.each([
    'none',
    'bastion',
    'me@bastion.example.org:2222',
    'me@[fd00::1]:22',
    '[FD00:0::1]',
    'a@first,b@second:22',
    '192.0.2.1',
  ])('accepts %s', (text) => {
    expect(parseJumpHosts(text)).toBe(text)
  })

  it.each([
    '',
    ' ',
    '-oProxyCommand=x',
    'me@',
    '@bastion',
    'a b',
    'bastion:99999',
    'bastion:0',
    'a,,b',
    "a'b",
    'a\nb',
    'a%h',
    'fd00::1',
    '[fd00:::1]',
    '[192.0.2.1]',
    '[fe80::1%eth0]',
    'none,a b',
  ])('refuses %j with an example', (text) => {
    expect(() => parseJumpHosts(text)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('is not a jump host, wanted [USER@]HOST[:PORT]'),
        hint: expect.stringContaining("jump: 'me@bastion.example.org:2222'"),
      }),
    )
  })
})
