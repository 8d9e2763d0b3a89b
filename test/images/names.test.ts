import { describe, expect, it } from 'vitest'
import { parseHostName, parseServiceName } from '../../images/names.ts'

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
          message: `invalid ${what} name '${text}'`,
          hint: 'use at most 32 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
        }),
      )
    },
  )
})
