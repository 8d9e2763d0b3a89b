import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

/**
 * An IPv4 or IPv6 address in its only spelling: dotted decimal, or the text of RFC 5952. Two equal addresses have equal
 * texts.
 */
export type IpAddress = string & { readonly brand: 'IpAddress' }

/** Parses an IPv4 or IPv6 address in any spelling. */
export function parseIpAddress(text: string): IpAddress {
  const address = ipAddress(text)
  if (address !== undefined) return address
  throw new UserError('host', `${quoted(text)} is not an IP address such as '10.0.10.1' or 'fd00::1'`, {
    hint: hintFor(text),
  })
}

/** The address in its only spelling; undefined for any other text. */
export function ipAddress(text: string): IpAddress | undefined {
  if (IPV4.test(text)) return text as IpAddress
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !URL.canParse(`http://[${text}]`)) return undefined
  const address = onlyIpv6Spelling(text)
  return isMapped(address) ? undefined : address
}

/** The URL standard writes IPv6 addresses as RFC 5952 does, except those that contain an IPv4 address. */
function onlyIpv6Spelling(address: string): IpAddress {
  return new URL(`http://[${address}]`).hostname.slice(1, -1) as IpAddress
}

// Leading zeros are refused: some programs read them as octal.
const NUMBER = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${NUMBER}(?:\\.${NUMBER}){3}$`)

/** Whether the address is an IPv4 address in the notation of IPv6: it would be a second spelling of the same address. */
function isMapped(address: string): boolean {
  return address.startsWith('::ffff:') && address.split(':').length === 5
}

function hintFor(text: string): string {
  if (text.includes('/')) return "leave the prefix length out: only 'network.address' has one"
  if (text.includes('%')) return "leave out '%' and the interface: the names of interfaces differ between machines"
  if (/^::ffff:/i.test(text)) return 'write the IPv4 address alone'
  if (text.includes(':')) return "write eight hexadecimal numbers between colons; '::' stands for zeros, once"
  return 'write four numbers from 0 to 255 without leading zeros'
}

export function familyOf(address: IpAddress): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** The number of bits of an address. */
export function bitsOf(address: IpAddress): 32 | 128 {
  return familyOf(address) === 4 ? 32 : 128
}

/** The address as a number, in the order of its bits. */
export function numberOf(address: IpAddress): bigint {
  if (familyOf(address) === 4) return join(address.split('.').map(Number), 8n)
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  return join([...before, ...Array(8 - before.length - after.length).fill(0), ...after], 16n)
}

/** The address of a family with a number. */
export function addressAt(family: 4 | 6, number: bigint): IpAddress {
  const parts = (count: number, width: bigint) =>
    Array.from({ length: count }, (_, index) => (number >> (BigInt(count - 1 - index) * width)) & ((1n << width) - 1n))
  if (family === 4) return parts(4, 8n).join('.') as IpAddress
  const groups = parts(8, 16n).map((group) => group.toString(16))
  return onlyIpv6Spelling(groups.join(':'))
}

function join(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n)
}

/** The address of a machine, and the prefix length of its network. */
export interface InterfaceAddress {
  readonly address: IpAddress
  readonly prefix: number
}

/** The form of configuration files: `10.0.10.11/24`. */
export function interfaceText({ address, prefix }: InterfaceAddress): string {
  return `${address}/${prefix}`
}

/** Whether an address is in the network of another one. */
export function isInNetwork(address: IpAddress, network: InterfaceAddress): boolean {
  if (familyOf(address) !== familyOf(network.address)) return false
  const hostBits = BigInt(bitsOf(address) - network.prefix)
  return numberOf(address) >> hostBits === numberOf(network.address) >> hostBits
}
