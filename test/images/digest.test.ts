import { describe, expect, it } from 'vitest'
import { Digester, digestOf, isDigest, parseDigest, short } from '../../images/digest.ts'

// FIPS 180-4's own example.
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('a digest', () => {
  it('is the SHA-256 of text or bytes', () => {
    expect([digestOf('abc'), digestOf(Buffer.from('abc'))]).toEqual([ABC, ABC])
  })

  it('is the same for bytes that arrive piece by piece', () => {
    expect(new Digester().update(Buffer.from('a')).update(Buffer.from('bc')).digest()).toBe(ABC)
  })

  it('is parsed from 64 hexadecimal digits', () => {
    expect(parseDigest(ABC)).toBe(ABC)
    expect(isDigest(ABC)).toBe(true)
  })

  it.each(['', ABC.slice(1), `${ABC}0`, ABC.toUpperCase(), ABC.replace('b', 'g'), `${ABC}\n`, `sha256:${ABC}`])(
    'is not %j',
    (text) => {
      expect(isDigest(text)).toBe(false)
      expect(() => parseDigest(text)).toThrow(
        expect.objectContaining({
          code: 'digest',
          message: `not a SHA-256 digest: '${text}', wanted 64 hexadecimal digits`,
        }),
      )
    },
  )

  it('is shown to people by its first twelve digits', () => {
    expect(short(parseDigest(ABC))).toBe('ba7816bf8f01')
  })
})
