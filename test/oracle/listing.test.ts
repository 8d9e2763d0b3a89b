import { describe, expect, it } from 'vitest'
import { comparable, parseAttributes } from './listing.ts'

describe('extended attributes', () => {
  it('are read for each path below the root', () => {
    const dump =
      '# file: /root\nuser.a=0x01\n\n# file: /root/usr/bin/ping\nsecurity.capability=0x0100\nuser.b=0x\n\n# file: /root/a\\040b\nuser.c=0x02\n\n'
    expect([...parseAttributes(dump, '/root')]).toEqual([
      ['', { 'user.a': '0x01' }],
      ['/usr/bin/ping', { 'security.capability': '0x0100', 'user.b': '0x' }],
      ['/a b', { 'user.c': '0x02' }],
    ])
  })
})

describe('what dpkg writes in no order', () => {
  const record = (name: string) => `/${name}\n/${name}.real\npackage\n`

  it('is compared by its records', () => {
    const [one, other] = [record('a') + record('b'), record('b') + record('a')].map((text) =>
      comparable('/var/lib/dpkg/diversions', Buffer.from(text)),
    )
    expect(one).toEqual(other)
  })

  it('still differs where a record does', () => {
    const [one, other] = ['x', 'y'].map((name) =>
      comparable('/var/lib/dpkg/diversions', Buffer.from(record('a') + record(name))),
    )
    expect(one).not.toEqual(other)
  })

  it('is no other file', () => {
    const text = Buffer.from('b\na\n')
    expect(comparable('/etc/shells', text)).toBe(text)
  })
})
