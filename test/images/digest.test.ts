import { describe, expect, it } from 'vitest'
import { Digester, digestOf, isDigest, parseDigest, short } from '../../images/digest.ts'

// The example in FIPS 180-4.
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('a digest', () => {
  it('a digest is the SHA-256 of text or bytes', () => {
    expect([digestOf('abc'), digestOf(Buffer.from('abc'))]).toEqual([ABC, ABC])
  })

  it('a digest is the same for bytes that arrive in pieces', () => {
    expect(new Digester().update(Buffer.from('a')).update(Buffer.from('bc')).digest()).toBe(ABC)
  })

  it('parses a digest of 64 hexadecimal digits', () => {
    expect(parseDigest(ABC)).toBe(ABC)
    expect(isDigest(ABC)).toBe(true)
  })

  it.each(['', ABC.slice(1), `${ABC}0`, ABC.toUpperCase(), ABC.replace('b', 'g'), `${ABC}\n`, `sha256:${ABC}`])(
    'refuses %j as a digest',
    (text) => {
      expect(isDigest(text)).toBe(false)
      expect(() => parseDigest(text)).toThrow(
        expect.objectContaining({
          code: 'digest',
          message: `invalid SHA-256 digest '${text}': expected 64 lower-case hexadecimal digits`,
        }),
      )
    },
  )

  it('messages show the first twelve digits of a digest', () => {
    expect(short(parseDigest(ABC))).toBe('ba7816bf8f01')
  })
})
