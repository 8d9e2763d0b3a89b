import { UserError } from '../errors.ts'
import {
  addressAt,
  bitsOf,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceText,
  ipAddress,
  isInNetwork,
  numberOf,
} from './ip-address.ts'
import { quoted } from './quoted.ts'

/** Parses a network: its first address and its prefix length, `10.0.10.0/24` or `fd00:10::/64`. */
export function parseSubnet(text: string): InterfaceAddress {
  const [given = '', length = '', ...rest] = text.split('/')
  const address = ipAddress(given)
  const isLength = /^(0|[1-9]\d{0,2})$/.test(length)
  if (rest.length > 0 || address === undefined || !isLength || Number(length) > bitsOf(address))
    throw new UserError('host', `${quoted(text)} is not a network such as '10.0.10.0/24' or 'fd00:10::/64'`, {
      hint: "write the network's first address, a slash, and the prefix length",
    })
  const subnet = { address, prefix: Number(length) }
  const longest = familyOf(address) === 4 ? 30 : 128
  if (subnet.prefix > longest || subnet.prefix < 8)
    throw new UserError('host', `${quoted(text)} has the prefix length ${length}, wanted 8 to ${longest}`, {
      hint: 'correct the number after the slash',
    })
  const first = { address: firstAddress(subnet), prefix: subnet.prefix }
  if (first.address === address) return subnet
  throw new UserError('host', `${quoted(text)} is not the first address of its network`, {
    hint: `write '${interfaceText(first)}'`,
  })
}

function firstAddress({ address, prefix }: InterfaceAddress): IpAddress {
  const hostBits = BigInt(bitsOf(address) - prefix)
  return addressAt(familyOf(address), (numberOf(address) >> hostBits) << hostBits)
}

/** Whether two networks have an address in common: then one contains the other. */
export function subnetsOverlap(one: InterfaceAddress, other: InterfaceAddress): boolean {
  return isInNetwork(one.address, other) || isInNetwork(other.address, one)
}
