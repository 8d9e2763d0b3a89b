import { familyOf, type InterfaceAddress, type IpAddress, interfaceText, isInNetwork } from '../../images/ip-address.ts'
import { isLinkLocal, roleInNetwork } from '../../images/machine-address.ts'
import { subnetsOverlap } from '../../images/subnet.ts'

/** The parts of a network in the lab file that depend on each other. */
interface Network {
  readonly vlan?: number | undefined
  readonly subnet: readonly InterfaceAddress[]
  readonly gateway?: readonly IpAddress[] | undefined
  readonly dns?: readonly IpAddress[] | undefined
}

interface Problem {
  readonly path: readonly string[]
  readonly message: string
  readonly hint: string
}

/** The first reason why networks that are valid on their own cannot work together, or undefined if there is none. */
export function networksProblem(networks: Readonly<Record<string, Network>>): Problem | undefined {
  const named = Object.entries(networks)
  for (const [index, [name, network]] of named.entries()) {
    const before = named.slice(0, index)
    const problem =
      subnetProblem(name, network) ??
      gatewayProblem(name, network) ??
      serverProblem(name, network) ??
      sharedProblem(name, network, before)
    if (problem !== undefined) return problem
  }
  return undefined
}

function subnetProblem(name: string, { subnet }: Network): Problem | undefined {
  const path = [name, 'subnet']
  if (subnet.length === 0)
    return { path, message: 'the list of subnets is empty', hint: "add a subnet such as '10.0.10.0/24'" }
  const overlapping = subnet.find((each, index) => subnet.slice(0, index).some((other) => subnetsOverlap(each, other)))
  if (overlapping === undefined) return undefined
  const message = `the subnet '${interfaceText(overlapping)}' overlaps another one of the list`
  return { path, message, hint: 'remove one of the two' }
}

function gatewayProblem(name: string, { subnet, gateway = [] }: Network): Problem | undefined {
  const path = [name, 'gateway']
  for (const [index, each] of gateway.entries()) {
    const other = gateway.slice(0, index).find((one) => familyOf(one) === familyOf(each))
    if (other !== undefined) {
      const message = `'${other}' and '${each}' are two gateways for IPv${familyOf(each)}, wanted one`
      return { path, message, hint: 'remove one of them' }
    }
    const message = notARouter(each, subnet)
    if (message !== undefined) return { path, message, hint: "set 'gateway' to the router's address in this network" }
  }
  return undefined
}

function notARouter(gateway: IpAddress, subnets: readonly InterfaceAddress[]): string | undefined {
  const own = subnets.filter(({ address }) => familyOf(address) === familyOf(gateway))
  if (isLinkLocal(gateway) && own.length > 0) return undefined
  const network = own.find((each) => isInNetwork(gateway, each))
  if (network === undefined) {
    const listed = subnets.map((each) => `'${interfaceText(each)}'`).join(' or ')
    return `the gateway '${gateway}' is not in ${listed}`
  }
  // A router also answers at the first address of an IPv6 network.
  const role = familyOf(gateway) === 4 ? roleInNetwork(gateway, network) : undefined
  return role === undefined
    ? undefined
    : `the gateway '${gateway}' is the ${role} address of '${interfaceText(network)}'`
}

function serverProblem(name: string, { subnet, dns = [] }: Network): Problem | undefined {
  for (const each of dns.filter((server) => familyOf(server) === 4)) {
    const network = subnet.find((own) => roleInNetwork(each, own) !== undefined)
    if (network === undefined) continue
    const message = `the name server '${each}' is the ${roleInNetwork(each, network)} address of '${interfaceText(network)}'`
    return { path: [name, 'dns'], message, hint: "set 'dns' to the address of a name server" }
  }
  return undefined
}

function sharedProblem(
  name: string,
  { vlan, subnet }: Network,
  before: readonly (readonly [string, Network])[],
): Problem | undefined {
  for (const [other, network] of before) {
    if (vlan !== undefined && network.vlan === vlan) {
      const message = `'${other}' and '${name}' have the same VLAN id: ${vlan}`
      return { path: [name, 'vlan'], message, hint: "give each network its own 'vlan', from 1 to 4094" }
    }
    for (const each of subnet) {
      const shared = network.subnet.find((one) => subnetsOverlap(one, each))
      if (shared === undefined) continue
      const message = `'${interfaceText(each)}' overlaps '${interfaceText(shared)}' of the network '${other}'`
      return { path: [name, 'subnet'], message, hint: 'correct one of the two subnets' }
    }
  }
  return undefined
}
