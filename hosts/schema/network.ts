import { z } from 'zod'
import { grammar } from '../../images/grammar.ts'
import { networkOf, parseIpv4, parseIpv4WithPrefix, roleInNetwork } from '../../images/ipv4.ts'
import { type DomainName, parseDomainName } from '../../images/names.ts'

const ipv4 = grammar(parseIpv4)

/** The machine's fixed address in the lab. Refuses addresses that cannot work together. */
export const networkSchema = z
  .strictObject({
    /** The machine's address and the prefix length of its network: '10.0.10.11/24'. */
    address: grammar(parseIpv4WithPrefix),
    /** The router's address. */
    gateway: ipv4,
    /** Name servers, at least one. Default: the gateway. */
    dns: z.array(ipv4).optional(),
    /** The lab's domain: 'lab'. */
    domain: grammar(parseDomainName).default('lab' as DomainName),
  })
  .superRefine((network, context) => {
    const problem = networkProblem(network)
    if (problem === undefined) return
    const { path, message, hint } = problem
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint } })
  })

/** The parts of a network in a host file that depend on each other. */
interface Network {
  readonly address: string
  readonly gateway: string
  readonly dns?: readonly string[] | undefined
}

interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

/** The first reason why addresses that are valid on their own cannot work together, or undefined if there is none. */
function networkProblem({ address: given, gateway, dns }: Network): Problem | undefined {
  const [address = '', length = ''] = given.split('/')
  const prefix = Number(length)
  const at = (path: Problem['path'], message: string, hint: string): Problem => ({ path, message, hint })
  if (prefix > 30 || prefix < 8)
    return at(['address'], `the network's prefix length is ${prefix}, wanted 8 to 30`, "correct 'network.address'")
  const role = roleInNetwork(address, prefix)
  if (role !== 'machine')
    return at(['address'], `'${given}' is the ${role} address of its network`, "choose another 'network.address'")
  const isInside = (other: string) => networkOf(address, prefix) === networkOf(other, prefix)
  if (!isInside(gateway) || address === gateway)
    return at(
      ['gateway'],
      `the gateway '${gateway}' is not another machine in the network of '${given}'`,
      "set 'network.gateway' to the router's address in this network",
    )
  const unusable = (other: string) => (isInside(other) ? roleInNetwork(other, prefix) : 'machine')
  if (unusable(gateway) !== 'machine')
    return at(
      ['gateway'],
      `the gateway '${gateway}' is the ${unusable(gateway)} address of the network of '${given}'`,
      "set 'network.gateway' to the router's address",
    )
  if (dns?.length === 0)
    return at(
      ['dns'],
      'the list of name servers is empty: without one, the host finds no time server and its clock stays wrong',
      "remove 'network.dns' to use the gateway as the name server",
    )
  const wrong = dns?.findIndex((server) => unusable(server) !== 'machine') ?? -1
  const server = dns?.[wrong]
  if (server === undefined) return undefined
  return at(
    ['dns', wrong],
    `the name server '${server}' is the ${unusable(server)} address of the network of '${given}'`,
    "correct 'network.dns'",
  )
}
