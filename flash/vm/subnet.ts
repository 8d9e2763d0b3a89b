import { UserError } from '../../errors.ts'
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
import { isLinkLocal } from '../../images/machine-address.ts'

/** A host's addresses, from its host file. */
export interface HostNetwork {
  readonly addresses: readonly InterfaceAddress[]
  readonly gateways: readonly IpAddress[]
  readonly dns: readonly IpAddress[]
}

/** The addresses of QEMU's user network in one family, chosen so that the image's static addresses work. */
export interface UserNetwork {
  /** The address of the guest. */
  readonly address: IpAddress
  /** The network with its prefix length: `10.0.10.0/24`. */
  readonly network: string
  /** The gateway, which is the address of this machine in the guest's network. */
  readonly gateway: IpAddress
  /** QEMU's name server; its address must differ from the gateway's. */
  readonly dns: IpAddress
  /** The first of the 16 DHCP addresses that QEMU requires for IPv4; the image uses none. */
  readonly leases: IpAddress
}

const LEASES = 16

/** Whether QEMU can forward ports to the host: it forwards to IPv4 addresses only. */
export function takesForwards({ addresses }: HostNetwork): boolean {
  return addresses.some(({ address }) => familyOf(address) === 4)
}

/** The user network of a family; undefined for a host without an address of this family. */
export function userNetwork({ addresses, gateways, dns }: HostNetwork, family: 4 | 6): UserNetwork | undefined {
  const own = addresses.filter(({ address }) => familyOf(address) === family)
  const gateway = gateways.find((each) => familyOf(each) === family)
  const guest = own.find((each) => gateway !== undefined && isInNetwork(gateway, each)) ?? own[0]
  if (guest === undefined) return undefined
  const size = 1n << BigInt(bitsOf(guest.address) - guest.prefix)
  const first = (numberOf(guest.address) / size) * size
  const at = (index: bigint) => addressAt(family, first + index)
  const leases = size - 1n - BigInt(LEASES)
  const taken = own.map(({ address }) => address)
  const free = Array.from({ length: 8 }, (_, index) => at(leases - 1n - BigInt(index)))
  const freeBut = (...used: IpAddress[]) => free.filter((each) => ![...taken, ...used].includes(each))
  const router = gateway === undefined ? freeBut()[0] : routerAt(gateway, at)
  if (size < 64n || router === undefined || !isInNetwork(router, guest)) {
    const most = bitsOf(guest.address) - 6
    throw new UserError('vm', `cannot emulate network '${interfaceText(guest)}' with gateway '${gateway ?? 'none'}'`, {
      hint: `in the host file, use a prefix of at most /${most} and a gateway inside that network`,
    })
  }
  const server = dns.find((each) => isInNetwork(each, guest) && each !== router && !taken.includes(each))
  return {
    address: guest.address,
    network: `${at(0n)}/${guest.prefix}`,
    gateway: router,
    dns: server ?? freeBut(router)[0] ?? at(2n),
    leases: at(leases),
  }
}

/** QEMU's gateway also has a link-local address, whose last 64 bits are those of its address in the network. */
function routerAt(gateway: IpAddress, at: (index: bigint) => IpAddress): IpAddress {
  return isLinkLocal(gateway) ? at(numberOf(gateway) % (1n << 64n)) : gateway
}
