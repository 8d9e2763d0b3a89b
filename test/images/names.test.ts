import { describe, expect, it } from 'vitest'
import { parseDomainName, parseHostName, parseServiceName } from '../../images/names.ts'
import { quoted } from '../../images/quoted.ts'

const LONGEST = `a${'b'.repeat(30)}c`

describe.each([
  ['host', parseHostName],
  ['service', parseServiceName],
] as const)('a %s name', (what, parse) => {
  it.each(['adama', 'a', 'node-exporter', 'pi5', 'a--b', LONGEST])('accepts the name %j', (text) => {
    expect(parse(text)).toBe(text)
  })

  it.each(['', 'Adama', '5pi', '-a', 'a-', 'a_b', 'a.b', 'a/b', '../a', 'a b', 'a\n', 'ädama', `${LONGEST}d`])(
    'refuses the name %j',
    (text) => {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({
          code: 'host',
          message: `invalid ${what} name ${quoted(text)}`,
          hint: 'use at most 32 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
        }),
      )
    },
  )
})

describe('a domain', () => {
  it.each(['lab', 'home.example.org', '1st.lab', 'a.b', 'xn--zrich-kva.ch', `${'a'.repeat(63)}.lab`])(
    'may be %j',
    (text) => {
      expect(parseDomainName(text)).toBe(text)
    },
  )

  it.each([
    ['', 'it is empty'],
    ['lab.', 'it ends with a dot'],
    ['.', 'it ends with a dot'],
    ['.lab', "its label ''"],
    ['a..b', "its label ''"],
    ['~.', 'it ends with a dot'],
    ['~lab', "its label '~lab'"],
    ['lab home', "its label 'lab home'"],
    ['Lab', "its label 'Lab'"],
    ['-lab', "its label '-lab'"],
    ['lab-', "its label 'lab-'"],
    ['my_lab', "its label 'my_lab'"],
    ['zürich', "its label 'zürich'"],
    ['a'.repeat(64), 'is not 1 to 63 lower-case letters'],
    [`${'a'.repeat(60)}.`.repeat(4).slice(0, -1), 'it has 243 characters, the most are 220'],
    ['10.0.0.1', 'its last label is a number'],
    ['localhost', "names below 'localhost' have the loopback address"],
    ['lab.localhost', "names below 'localhost' have the loopback address"],
    ['lab\nDNS=6.6.6.6', "'lab\\u{a}DNS=6' is not 1 to 63"],
  ])('may not be %j: %s', (text, reason) => {
    expect(() => parseDomainName(text)).toThrow(reason)
    expect(() => parseDomainName(text)).toThrow(`${quoted(text)} is not a domain: `)
  })
})

describe('a host name', () => {
  it('may not be localhost, which is the machine itself on every machine', () => {
    expect(() => parseHostName('localhost')).toThrow("invalid host name 'localhost'")
  })
})
