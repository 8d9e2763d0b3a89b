import { z } from 'zod'
import { grammar, oneOrMore } from '../../images/grammar.ts'
import type { InterfaceAddress } from '../../images/ip-address.ts'
import { parseJumpHosts } from '../../images/jump-hosts.ts'
import { parseInterfaceAddress, parseNeighbourAddress } from '../../images/machine-address.ts'
import { parseDomainName } from '../../images/names.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { networkProblem } from './network-problem.ts'

/** The network of a host as its file declares it. The lab has the values that the file leaves out. */
export interface DeclaredNetwork {
  readonly addresses: Network['addresses']
  readonly gateways?: Network['gateways'] | undefined
  readonly dns?: Network['dns'] | undefined
  readonly domain?: Network['domain'] | undefined
  readonly jump?: Network['jump']
}

type Network = Host['network']

/** The machine's fixed addresses in the lab: IPv4, IPv6 or both. Refuses addresses that cannot work together. */
export const networkSchema = z
  .strictObject({
    /**
     * The machine's address and the prefix length of its network: '10.0.10.11/24', 'fd00::11/64', or a list of several.
     * hangar connects to the first one.
     */
    address: oneOrMore(parseInterfaceAddress),
    /**
     * The router's address, or a list of one for IPv4 and one for IPv6. An IPv6 router may have a link-local address:
     * 'fe80::1'. Default: the gateway of the network in hosts/lab.ts that contains the address.
     */
    gateway: oneOrMore(parseNeighbourAddress).optional(),
    /** Name servers, at least one. Default: those of the network in hosts/lab.ts, otherwise the gateways. */
    dns: oneOrMore(parseNeighbourAddress).optional(),
    /** The machine's own domain. Default: the lab's domain. */
    domain: grammar(parseDomainName).optional(),
    /** The jump host through which hangar reaches the machine, or 'none'. Default: as in ~/.ssh/config. */
    jump: grammar(parseJumpHosts).optional(),
  })
  .superRefine((network, context) => {
    const problem = networkProblem(network)
    if (problem === undefined) return
    const { path, message, hint } = problem
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint } })
  })
  .transform(
    ({ address, gateway, ...rest }): DeclaredNetwork => ({
      ...rest,
      // The check above has refused an empty list.
      addresses: address as readonly [InterfaceAddress, ...InterfaceAddress[]],
      gateways: gateway,
    }),
  )
