import { describe, expect, it } from 'vitest'
import { comparable, parseAttributes } from './listing.ts'

describe('parseAttributes', () => {
  it('reads the extended attributes of each path below the root', () => {
    const dump =
      '# file: /root\nuser.a=0x01\n\n# file: /root/usr/bin/ping\nsecurity.capability=0x0100\nuser.b=0x\n\n# file: /root/a\\040b\nuser.c=0x02\n\n'
    expect([...parseAttributes(dump, '/root')]).toEqual([
      ['', { 'user.a': '0x01' }],
      ['/usr/bin/ping', { 'security.capability': '0x0100', 'user.b': '0x' }],
      ['/a b', { 'user.c': '0x02' }],
    ])
  })
})

describe('comparable', () => {
  const record = (name: string) => `/${name}\n/${name}.real\npackage\n`

  it('ignores the order of records that dpkg writes in hash order', () => {
    const [one, other] = [record('a') + record('b'), record('b') + record('a')].map((text) =>
      comparable('/var/lib/dpkg/diversions', Buffer.from(text)),
    )
    expect(one).toEqual(other)
  })

  it('finds a difference between records', () => {
    const [one, other] = ['x', 'y'].map((name) =>
      comparable('/var/lib/dpkg/diversions', Buffer.from(record('a') + record(name))),
    )
    expect(one).not.toEqual(other)
  })

  it('does not reorder the lines of other files', () => {
    const text = Buffer.from('b\na\n')
    expect(comparable('/etc/shells', text)).toBe(text)
  })
})
