import {
  addressAt,
  bitsOf,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceText,
  isInNetwork,
  numberOf,
} from '../../images/ip-address.ts'
import type { Host } from '../host-facts.ts'
import type { Lab } from '../lab-facts.ts'

/** Addresses that are not on the internet (RFC 6890 and the IANA registries of special-purpose addresses). */
const NEVER_PUBLIC: readonly (readonly [first: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

/**
 * The networks that a service with access to the internet does not reach: private and special addresses, the networks of the
 * host, the hosts of the lab, and `networks` of the lab. Two of them may overlap.
 */
export function insideNetworks(host: Host, lab: Lab, networks: readonly InterfaceAddress[]): InterfaceAddress[] {
  const machines = lab.hosts.flatMap(({ addresses }) =>
    addresses.map((address) => ({ address, prefix: bitsOf(address) })),
  )
  return [...NEVER_PUBLIC.map(network), ...host.network.addresses, ...networks, ...machines]
}

function network([first, prefix]: readonly [string, number]): InterfaceAddress {
  return { address: first as IpAddress, prefix }
}

/** The networks of a family as the elements of an nftables set. Leaves out networks that are inside another one. */
export function setElements(networks: readonly InterfaceAddress[], family: 4 | 6): string[] {
  const chosen = networks.filter(({ address }) => familyOf(address) === family).sort((a, b) => a.prefix - b.prefix)
  const outer: InterfaceAddress[] = []
  for (const each of chosen) if (!outer.some((other) => isInNetwork(each.address, other))) outer.push(each)
  return outer.map((each) => interfaceText({ ...each, address: firstOf(each) }))
}

function firstOf({ address, prefix }: InterfaceAddress): IpAddress {
  const size = 1n << BigInt(bitsOf(address) - prefix)
  return addressAt(familyOf(address), (numberOf(address) / size) * size)
}
