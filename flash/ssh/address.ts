import { isIP } from 'node:net'
import { UserError } from '../../errors.ts'

/** The address of a host's SSH server. */
export interface Address {
  readonly address: string
  readonly port: number
}

const SSH_PORT = 22

/** Parses an address: `10.0.10.11`, `adama.lab:2222`, `[fd00::1]:22` or `fd00::1`. */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = isIP(text) === 6 ? text : (bracketed ?? plain ?? '')
  const number = port === undefined ? SSH_PORT : Number(port)
  if (isAddress(address) && (bracketed === undefined || isIP(address) === 6) && number > 0 && number < 65536)
    return { address, port: number }
  throw new UserError('usage', `'${text}' is not an address, wanted ADDRESS or ADDRESS:PORT`, {
    hint: 'for example: --at 10.0.10.11, --at adama.lab:2222, --at [fd00::1]:2222',
  })
}

export function formatAddress({ address, port }: Address): string {
  if (port === SSH_PORT) return address
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}

/** The form of an address. It excludes text that ssh would read as an option. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)
}
