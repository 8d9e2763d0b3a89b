import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../images/disk/crc32.ts'

describe('CRC-32', () => {
  // The catalogue's check value of CRC-32/ISO-HDLC; the others by zlib.
  it.each([
    ['123456789', 0xcbf43926],
    ['', 0],
    ['\0', 0xd202ef8d],
    ['a', 0xe8b7be43],
  ])('of %j is what zlib says', (text, expected) => {
    expect(crc32(Buffer.from(text))).toBe(expected)
  })
})
