import { UserError } from '../../errors.ts'
import { familyOf, type IpAddress } from '../../images/ip-address.ts'
import type { UserNetworks } from './netdev.ts'
import { type HostNetwork, type UserNetwork, userNetwork } from './subnet.ts'

/** A host that shares a network with others. */
export interface Member {
  readonly name: string
  readonly network: HostNetwork
}

const FAMILIES = [4, 6] as const
type Family = (typeof FAMILIES)[number]

/** One user network for several hosts. Throws a UserError if the hosts cannot all reach each other and the gateway. */
export function sharedNetwork(members: readonly Member[]): UserNetworks {
  checkNames(members)
  checkAddresses(members)
  const [ipv4, ipv6] = FAMILIES.map((family) => ofFamily(members, family))
  const common = FAMILIES.some((family) => withFamily(members, family).length === members.length)
  if (!common) throw refused(members, 'some have only IPv4 addresses, and some only IPv6 addresses')
  return { ipv4, ipv6 }
}

function checkNames(members: readonly Member[]): void {
  const names = members.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw new UserError('usage', `cannot boot '${twice}' twice: only one machine can have its addresses`, {
    hint: `name each host once: npm run vm ${[...new Set(names)].join(' ')}`,
  })
}

function checkAddresses(members: readonly Member[]): void {
  const owners = new Map<IpAddress, string>()
  for (const { name, network } of members) {
    for (const { address } of network.addresses) {
      const other = owners.get(address)
      if (other !== undefined) throw refused(members, `'${other}' and '${name}' have the same address: ${address}`)
      owners.set(address, name)
    }
  }
  const gateway = members.flatMap(({ network }) => network.gateways).find((each) => owners.has(each))
  if (gateway === undefined) return
  throw refused(members, `'${owners.get(gateway)}' has the address of the gateway, which QEMU emulates: ${gateway}`)
}

function ofFamily(members: readonly Member[], family: Family): UserNetwork | undefined {
  const own = withFamily(members, family)
  const networks = own.map(({ name, network }) => {
    const { network: subnet, gateway } = userNetwork(network, family) ?? {}
    const hasGateway = network.gateways.some((each) => familyOf(each) === family)
    return { name, subnet, gateway: hasGateway ? gateway : undefined }
  })
  const routed = networks.filter(({ gateway }) => gateway !== undefined)
  const [first, router] = [networks[0], routed[0]]
  const elsewhere = networks.find(({ subnet }) => subnet !== first?.subnet)
  if (first !== undefined && elsewhere !== undefined) {
    throw refused(members, `'${first.name}' is in ${first.subnet}, and '${elsewhere.name}' is in ${elsewhere.subnet}`)
  }
  const otherwise = routed.find(({ gateway }) => gateway !== router?.gateway)
  if (router !== undefined && otherwise !== undefined) {
    const [one, two] = [router, otherwise].map(({ name, gateway }) => `'${name}' has gateway ${gateway}`)
    throw refused(members, `${one}, and ${two}`)
  }
  return userNetwork(merged(own), family)
}

function withFamily(members: readonly Member[], family: Family): readonly Member[] {
  return members.filter(({ network }) => network.addresses.some(({ address }) => familyOf(address) === family))
}

function merged(members: readonly Member[]): HostNetwork {
  return {
    addresses: members.flatMap(({ network }) => network.addresses),
    gateways: members.flatMap(({ network }) => network.gateways),
    dns: members.flatMap(({ network }) => network.dns),
  }
}

function refused(members: readonly Member[], reason: string): UserError {
  const names = members.map(({ name }) => `'${name}'`).join(', ')
  return new UserError('vm', `cannot boot ${names} on one virtual network: ${reason}`, {
    hint: `change 'network' in the host files, or boot each host alone: npm run vm ${members[0]?.name}`,
  })
}
