import { familyOf, type InterfaceAddress, type IpAddress, interfaceText, isInNetwork } from '../../images/ip-address.ts'
import { isLinkLocal, roleInNetwork } from '../../images/machine-address.ts'

/** The parts of a network in a host file that depend on each other. */
interface Network {
  readonly address: readonly InterfaceAddress[]
  readonly gateway?: readonly IpAddress[] | undefined
  readonly dns?: readonly IpAddress[] | undefined
}

interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

/** The first reason why addresses that are valid on their own cannot work together, or undefined if there is none. */
export function networkProblem({ address, gateway, dns }: Network): Problem | undefined {
  return (
    firstProblem('address', address, addressProblem) ??
    firstProblem('gateway', gateway, (each, others) => gatewayProblem(each, others, address)) ??
    firstProblem('dns', dns, (each) => serverProblem(each, address))
  )
}

type Reason = Omit<Problem, 'path'> | undefined

/** The problem of the first value in a list that has one. `before` are the values before it. The lab has values for no list. */
function firstProblem<Value>(
  field: keyof typeof EMPTY,
  values: readonly Value[] | undefined,
  reasonOf: (value: Value, before: readonly Value[]) => Reason,
): Problem | undefined {
  if (values === undefined) return undefined
  if (values.length === 0) return { path: [field], ...EMPTY[field] }
  for (const [index, value] of values.entries()) {
    const reason = reasonOf(value, values.slice(0, index))
    if (reason !== undefined) return { path: values.length === 1 ? [field] : [field, index], ...reason }
  }
  return undefined
}

const EMPTY = {
  address: {
    message: 'the list of addresses is empty',
    hint: "add an address such as '10.0.10.11/24' or 'fd00::11/64'",
  },
  gateway: { message: 'the list of gateways is empty', hint: "set 'network.gateway' to the router's address" },
  dns: {
    message: 'the list of name servers is empty: without one, the host finds no time server and its clock stays wrong',
    hint: "remove 'network.dns' to use the gateway, or the name servers of the lab",
  },
}

function addressProblem(given: InterfaceAddress, before: readonly InterfaceAddress[]): Reason {
  const { address, prefix } = given
  const longest = familyOf(address) === 4 ? 30 : 128
  if (prefix > longest || prefix < 8)
    return {
      message: `the network's prefix length is ${prefix}, wanted 8 to ${longest}`,
      hint: "correct 'network.address'",
    }
  const role = roleInNetwork(address, given)
  if (role !== undefined)
    return {
      message: `'${interfaceText(given)}' is the ${role} address of its network`,
      hint: "choose another 'network.address'",
    }
  if (before.some((other) => other.address === address))
    return { message: `the list has the address '${address}' twice`, hint: "correct 'network.address'" }
  return undefined
}

function gatewayProblem(
  gateway: IpAddress,
  before: readonly IpAddress[],
  addresses: readonly InterfaceAddress[],
): Reason {
  const own = addresses.filter(({ address }) => familyOf(address) === familyOf(gateway))
  if (own.length === 0) return withoutAddress('gateway', gateway)
  const other = before.find((each) => familyOf(each) === familyOf(gateway))
  if (other !== undefined)
    return {
      message: `'${other}' and '${gateway}' are two gateways for IPv${familyOf(gateway)}, wanted one`,
      hint: "remove one of them from 'network.gateway'",
    }
  if (isLinkLocal(gateway)) return undefined
  const isOwn = own.some(({ address }) => address === gateway)
  if (isOwn || !own.some((network) => isInNetwork(gateway, network)))
    return {
      message: `the gateway '${gateway}' is not another machine in the network of ${listed(own)}`,
      hint: "set 'network.gateway' to the router's address in this network",
    }
  return roleProblem(`the gateway '${gateway}'`, gateway, own, "set 'network.gateway' to the router's address")
}

function serverProblem(server: IpAddress, addresses: readonly InterfaceAddress[]): Reason {
  if (!addresses.some(({ address }) => familyOf(address) === familyOf(server)))
    return withoutAddress('name server', server)
  return roleProblem(`the name server '${server}'`, server, addresses, "correct 'network.dns'")
}

function withoutAddress(what: string, address: IpAddress): Reason {
  const family = `IPv${familyOf(address)}`
  return {
    message: `the ${what} '${address}' is an ${family} address, and the host has no ${family} address`,
    hint: `add an ${family} address to 'network.address', or remove the ${what}`,
  }
}

/** Only IPv4 networks have addresses that no other machine has: a router also answers at the first address of an IPv6 network. */
function roleProblem(what: string, address: IpAddress, networks: readonly InterfaceAddress[], hint: string): Reason {
  if (familyOf(address) === 6) return undefined
  for (const network of networks) {
    const role = roleInNetwork(address, network)
    if (role !== undefined)
      return { message: `${what} is the ${role} address of the network of '${interfaceText(network)}'`, hint }
  }
  return undefined
}

function listed(addresses: readonly InterfaceAddress[]): string {
  return addresses.map((each) => `'${interfaceText(each)}'`).join(' or ')
}
