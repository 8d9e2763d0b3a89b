import { describe, expect, it } from 'vitest'
import { parseMailAddress } from '../../images/mail-address.ts'

describe('parseMailAddress', () => {
  it.each(['owner@example.org', 'o.w+lab@mail.example.org', 'root@localhost', "o'hara@example.org"])(
    'accepts %s',
    (text) => {
      expect(parseMailAddress(text)).toBe(text)
    },
  )

  it.each([
    '',
    'owner',
    '@example.org',
    'owner@',
    'a@b@c',
    'a b@c.d',
    'a@c..d',
    '.a@c.d',
    'a@c.d\nBcc: x@y.z',
    `${'a'.repeat(65)}@c.d`,
  ])('refuses %j', (text) => {
    expect(() => parseMailAddress(text)).toThrow('is not a mail address')
  })
})
