import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../images/disk/crc32.ts'

describe('crc32', () => {
  // The first is the check value of CRC-32/ISO-HDLC in the CRC catalogue. The others were computed by zlib.
  it.each([
    ['123456789', 0xcbf43926],
    ['', 0],
    ['\0', 0xd202ef8d],
    ['a', 0xe8b7be43],
  ])('the CRC-32 of %j equals the value of zlib', (text, expected) => {
    expect(crc32(Buffer.from(text))).toBe(expected)
  })
})
