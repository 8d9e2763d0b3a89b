import { UserError } from '../../errors.ts'
import { ipAddress } from '../../images/ip-address.ts'
import { isLinkLocal } from '../../images/machine-address.ts'

/** The address of a host's SSH server. */
export interface Address {
  /** A name, or an address in its only spelling. Only a link-local address may have a zone: `fe80::1%eth0`. */
  readonly address: string
  readonly port: number
}

const SSH_PORT = 22

/** Parses an address: `10.0.10.11`, `adama.lab:2222`, `[fd00::1]:22`, `fd00::1` or `fe80::1%eth0`. */
export function parseAddress(text: string): Address {
  const whole = ipv6(text)
  if (whole !== undefined) return { address: whole, port: SSH_PORT }
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed === undefined ? nameOrIpv4(plain) : ipv6(bracketed)
  const number = port === undefined ? SSH_PORT : Number(port)
  if (address !== undefined && number > 0 && number < 65536) return { address, port: number }
  throw new UserError('usage', `'${text}' is not an address, wanted ADDRESS or ADDRESS:PORT`, {
    hint: 'for example: --at 10.0.10.11, --at adama.lab:2222, --at fd00::1, --at [fd00::1]:2222, --at fe80::1%eth0',
  })
}

export function formatAddress({ address, port }: Address): string {
  if (port === SSH_PORT) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function ipv6(text: string): string | undefined {
  const [given = '', zone] = text.split(/%(.*)/s)
  const address = ipAddress(given)
  if (address === undefined || !address.includes(':')) return undefined
  if (zone === undefined) return address
  return isLinkLocal(address) && /^[A-Za-z0-9_.-]{1,15}$/.test(zone) ? `${address}%${zone}` : undefined
}

/** The form of a name excludes text that ssh would read as an option, and numbers that ssh would read as another address. */
function nameOrIpv4(text: string): string | undefined {
  const isName =
    /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) && !/(^|\.)(\d+|0x[0-9A-Fa-f]*)$/.test(text)
  return isName ? text : ipAddress(text)
}
