import { UserError } from '../errors.ts'
import {
  bitsOf,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  ipAddress,
  isInNetwork,
  numberOf,
  parseIpAddress,
} from './ip-address.ts'
import { quoted } from './quoted.ts'

type Range = readonly [first: string, prefix: number, reason: string]

const LINK_LOCAL: Range = ['fe80::', 10, 'routers do not forward it (link-local, RFC 4291, 2.5.6)']

/**
 * Ranges that no machine of a network can have (RFC 6890 and the IANA registries of special-purpose addresses). The addresses
 * for documentation are not among them: every program uses them like any other address.
 */
const UNUSABLE: readonly Range[] = [
  ['0.0.0.0', 8, "a machine without an address uses it ('this network', RFC 1122, 3.2.1.3)"],
  ['127.0.0.0', 8, 'each machine reaches only itself there (loopback, RFC 1122, 3.2.1.3)'],
  ['169.254.0.0', 16, 'routers do not forward it (link-local, RFC 3927, 2.7)'],
  ['224.0.0.0', 4, 'it addresses groups of machines (multicast, RFC 5771)'],
  ['240.0.0.0', 4, 'it is reserved (RFC 1112, 4)'],
  ['::', 128, 'a machine without an address uses it (unspecified, RFC 4291, 2.5.2)'],
  ['::1', 128, 'each machine reaches only itself there (loopback, RFC 4291, 2.5.3)'],
  ['ff00::', 8, 'it addresses groups of machines (multicast, RFC 4291, 2.7)'],
  ['fec0::', 10, 'it is no longer used (site-local, RFC 3879)'],
]

/** The ranges of IPv6 that machines have (RFC 4291, 2.4 and RFC 4193); 64:ff9b::/32 leads to IPv4 (RFC 6052, RFC 8215). */
const USABLE_IPV6: readonly (readonly [first: string, prefix: number])[] = [
  ['2000::', 3],
  ['fc00::', 7],
  ['64:ff9b::', 32],
]

/** Parses the address of a machine that machines of other networks can reach. */
export function parseMachineAddress(text: string): IpAddress {
  return usable(text, [...UNUSABLE, LINK_LOCAL])
}

/**
 * Parses the address of a router or of a name server. A router announces itself by its link-local IPv6 address, which works
 * within the network.
 */
export function parseNeighbourAddress(text: string): IpAddress {
  const address = parseIpAddress(text)
  return isLinkLocal(address) ? address : usable(text, UNUSABLE)
}

/** Parses an address with the prefix length of its network: `10.0.10.11/24`, `fd00::11/64`. */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const [given = '', prefix = '', ...rest] = text.split('/')
  const address = ipAddress(given)
  if (
    rest.length > 0 ||
    address === undefined ||
    !/^(0|[1-9]\d{0,2})$/.test(prefix) ||
    Number(prefix) > bitsOf(address)
  )
    throw new UserError(
      'host',
      `${quoted(text)} is not an address with a prefix length such as '10.0.10.11/24' or 'fd00::11/64'`,
      { hint: 'write an IPv4 or IPv6 address, a slash, and the prefix length' },
    )
  return { address: parseMachineAddress(address), prefix: Number(prefix) }
}

export function isLinkLocal(address: IpAddress): boolean {
  return isIn(address, LINK_LOCAL)
}

function usable(text: string, unusable: readonly Range[]): IpAddress {
  const address = parseIpAddress(text)
  const refuse = (reason: string, hint: string): never => {
    throw new UserError('host', `${quoted(text)} cannot be the address of a machine: ${reason}`, { hint })
  }
  const [first, prefix, reason] = unusable.find((range) => isIn(address, range)) ?? []
  if (reason !== undefined) return refuse(reason, `use an address outside of ${first}/${prefix}`)
  if (familyOf(address) === 6 && !USABLE_IPV6.some((range) => isIn(address, range)))
    return refuse(
      'it is in no range for machines (RFC 4291, 2.4)',
      'use an address of your provider, or a private one in fd00::/8',
    )
  return address
}

function isIn(
  address: IpAddress,
  [first, prefix]: readonly [first: string, prefix: number, ...rest: string[]],
): boolean {
  return isInNetwork(address, { address: first as IpAddress, prefix })
}

/**
 * Why no machine can have an address of its own network; undefined if one can. In IPv4 the first address is the network's
 * own, and the last one is its broadcast address. In IPv6 the first one means any router of the network (RFC 4291, 2.6.1),
 * except in networks of one or two addresses (RFC 6164), and there is no broadcast.
 */
export function roleInNetwork(
  address: IpAddress,
  network: InterfaceAddress,
): 'network' | 'broadcast' | 'subnet-router anycast' | undefined {
  if (!isInNetwork(address, network)) return undefined
  const size = 1n << BigInt(bitsOf(address) - network.prefix)
  const index = numberOf(address) % size
  if (familyOf(address) === 6) return index === 0n && size > 2n ? 'subnet-router anycast' : undefined
  return index === 0n ? 'network' : index === size - 1n ? 'broadcast' : undefined
}
