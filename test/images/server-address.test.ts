import { describe, expect, it } from 'vitest'
import { parseServerName, parseServerPort, portOfServer } from '../../images/server-address.ts'

describe('parseServerName', () => {
  it.each(['ntp.example.org', 'router', '0.debian.pool.ntp.org', '10.0.10.1', 'fd00::1', 'a-b.c'])(
    'accepts %s',
    (text) => {
      expect(parseServerName(text)).toBe(text)
    },
  )

  it.each(['', ' ', 'ntp..org', '-a.org', 'a b', 'a\nNTP=b', '10.0.10', '10.0.10.256', 'ntp.org:123', '[fd00::1]'])(
    'refuses %j',
    (text) => {
      expect(() => parseServerName(text)).toThrow('is not the name or the address of a server')
    },
  )
})

describe('parseServerPort', () => {
  it.each([
    ['mail.example.org:25', 25],
    ['10.0.10.1:587', 587],
    ['[fd00::1]:65535', 65_535],
  ])('accepts %s', (text, port) => {
    expect(portOfServer(parseServerPort(text))).toBe(port)
  })

  it.each(['mail.example.org', 'mail:0', 'mail:65536', 'fd00::1:25', '[mail]:25', '[10.0.10.1]:25', ':25', 'a:25:25'])(
    'refuses %j',
    (text) => {
      expect(() => parseServerPort(text)).toThrow(`'${text}' is not a server with a port`)
    },
  )
})
