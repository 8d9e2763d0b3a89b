import { UserError } from '../errors.ts'
import { ipAddress } from './ip-address.ts'
import { quoted } from './quoted.ts'

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)

/** Parses the name or the address of a server: `ntp.example.org`, `10.0.10.1`, `fd00::1`. */
export function parseServerName(text: string): string {
  if (isServerName(text)) return text
  throw new UserError('host', `${quoted(text)} is not the name or the address of a server`, {
    hint: "write a name such as 'ntp.example.org', or an address such as '10.0.10.1' or 'fd00::1'",
  })
}

/** Parses a server and its port: `mail.example.org:25`, `[fd00::1]:25`. */
export function parseServerPort(text: string): string {
  const [, plain, ipv6 = '', port = ''] = /^(?:([^:[\]]+)|\[([^[\]]+)\]):([1-9]\d{0,4})$/.exec(text) ?? []
  const isServer = plain === undefined ? ipv6.includes(':') && isServerName(ipv6) : isServerName(plain)
  if (isServer && Number(port) <= 65_535) return text
  throw new UserError('host', `${quoted(text)} is not a server with a port`, {
    hint: "write a name or an address, a colon, and the port: 'mail.example.org:25' or '[fd00::1]:25'",
  })
}

/** The port at the end of a server that `parseServerPort` accepts. */
export function portOfServer(server: string): number {
  return Number(/:(\d+)$/.exec(server)?.[1])
}

function isServerName(text: string): boolean {
  if (ipAddress(text) !== undefined) return true
  // A name whose last label is a number is a mistyped IPv4 address.
  return text.length <= 253 && NAME.test(text) && !/(^|\.)\d+$/.test(text)
}
