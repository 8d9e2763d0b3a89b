import { UserError } from '../errors.ts'
import { quoted } from './quoted.ts'

/** The IPv4 address of a machine in dotted decimal: `10.0.10.1`. */
export type Ipv4 = string & { readonly brand: 'Ipv4' }

// Leading zeros are refused: some programs read them as octal.
const NUMBER = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ADDRESS = new RegExp(`^${NUMBER}(?:\\.${NUMBER}){3}$`)

/** Ranges that no machine of a network can have (RFC 6890 and the IANA registry of special-purpose addresses). */
const UNUSABLE: readonly (readonly [first: string, prefix: number, reason: string])[] = [
  ['0.0.0.0', 8, "a machine without an address uses it ('this network', RFC 1122, 3.2.1.3)"],
  ['127.0.0.0', 8, 'each machine reaches only itself there (loopback, RFC 1122, 3.2.1.3)'],
  ['169.254.0.0', 16, 'routers do not forward it (link-local, RFC 3927, 2.7)'],
  ['224.0.0.0', 4, 'it addresses groups of machines (multicast, RFC 5771)'],
  ['240.0.0.0', 4, 'it is reserved (RFC 1112, 4)'],
]

/** Parses the address of a machine that other machines can reach. */
export function parseIpv4(text: string): Ipv4 {
  if (!ADDRESS.test(text))
    throw new UserError('host', `${quoted(text)} is not an IPv4 address such as '10.0.10.1'`, {
      hint: 'write four numbers from 0 to 255 without leading zeros',
    })
  const range = UNUSABLE.find(([first, prefix]) => networkOf(text, prefix) === networkOf(first, prefix))
  if (range === undefined) return text as Ipv4
  const [first, prefix, reason] = range
  throw new UserError('host', `'${text}' cannot be the address of a machine: ${reason}`, {
    hint: `use an address outside of ${first}/${prefix}`,
  })
}

/** Parses an address with the prefix length of its network: `10.0.10.11/24`. */
export function parseIpv4WithPrefix(text: string): string {
  const [address = '', prefix = '', ...rest] = text.split('/')
  if (rest.length > 0 || !ADDRESS.test(address) || !/^([12]?\d|3[0-2])$/.test(prefix))
    throw new UserError('host', `${quoted(text)} is not an address with a prefix length such as '10.0.10.11/24'`, {
      hint: 'write four numbers from 0 to 255, a slash, and the prefix length',
    })
  parseIpv4(address)
  return text
}

/** The number of a network with this address and prefix length. Two addresses of one network have the same number. */
export function networkOf(address: string, prefix: number): number {
  return Math.floor(numberOf(address) / 2 ** (32 - prefix))
}

/** The first address of a network is its own, and the last one is its broadcast address: no machine can have them. */
export function roleInNetwork(address: string, prefix: number): 'network' | 'broadcast' | 'machine' {
  const size = 2 ** (32 - prefix)
  const index = numberOf(address) % size
  return index === 0 ? 'network' : index === size - 1 ? 'broadcast' : 'machine'
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
