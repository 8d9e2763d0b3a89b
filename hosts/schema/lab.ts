import { UserError } from '../../errors.ts'
import { interfaceText } from '../../images/ip-address.ts'
import type { HostName } from '../../images/names.ts'
import { BASE_OFFER } from '../../overlays/base/offer.ts'
import { type Lab, type LabHost, networkOf } from '../../overlays/lab-facts.ts'

/** A reason why hosts of a lab cannot run side by side. */
export interface LabProblem {
  /** The hosts that cannot be built; `all` if the mistake is in the lab file. */
  readonly hosts: readonly HostName[] | 'all'
  readonly error: UserError
}

/**
 * The problems between the hosts of a lab, and between the hosts and the lab file. `unread` are the hosts whose files are
 * not valid: their services are unknown.
 */
export function labProblems(lab: Lab, unread: readonly string[] = []): LabProblem[] {
  return [
    ...lab.hosts.flatMap((host, at) => lab.hosts.slice(0, at).flatMap((other) => sharedAddress(other, host))),
    ...lab.hosts.flatMap((host) => [...outside(lab, host), ...onGateway(lab, host), ...sharedName(lab, host)]),
    ...Object.entries(lab.facts.providers).flatMap(([service, name]) =>
      unread.includes(name) ? [] : wrongProvider(lab, service, name),
    ),
  ]
}

/** Only one machine can have an address. */
function sharedAddress(one: LabHost, other: LabHost): LabProblem[] {
  const shared = one.addresses.find((address) => other.addresses.includes(address))
  if (shared === undefined) return []
  const error = new UserError('host', `'${one.name}' and '${other.name}' have the same address: ${shared}`, {
    hint: `change 'network.address' in hosts/${one.name}.ts or hosts/${other.name}.ts`,
  })
  return [{ hosts: [one.name, other.name], error }]
}

function outside({ facts }: Lab, { name, addresses }: LabHost): LabProblem[] {
  if (facts.networks.length === 0) return []
  const subnets = facts.networks.flatMap((each) =>
    each.subnets.map((subnet) => `${interfaceText(subnet)} (${each.name})`),
  )
  return addresses
    .filter((address) => networkOf(facts, address) === undefined)
    .map((address) =>
      addressProblem(
        name,
        `'${address}' is in no network of hosts/lab.ts: ${subnets.join(', ')}`,
        `change 'network.address' in hosts/${name}.ts, or add the subnet to 'networks' in hosts/lab.ts`,
      ),
    )
}

function onGateway({ facts }: Lab, { name, addresses }: LabHost): LabProblem[] {
  return addresses.flatMap((address) => {
    const network = facts.networks.find(({ gateways }) => gateways.includes(address))
    if (network === undefined) return []
    return addressProblem(
      name,
      `'${address}' is the address of the gateway of '${network.name}'`,
      `choose another 'network.address' in hosts/${name}.ts, or correct 'networks.${network.name}.gateway' in hosts/lab.ts`,
    )
  })
}

function addressProblem(name: HostName, reason: string, hint: string): LabProblem {
  const message = `hosts/${name}.ts at 'network.address': ${reason}`
  return { hosts: [name], error: new UserError('host', message, { hint, cause: { path: ['network', 'address'] } }) }
}

/** Hosts and services have names in the same domain. */
function sharedName({ facts, hosts }: Lab, { name }: LabHost): LabProblem[] {
  const isService = ({ offers }: LabHost) => offers.some((each) => each.name === name && each !== BASE_OFFER)
  const running = hosts.filter(isService).map((each) => each.name)
  if (running.length === 0) return []
  const message = `hosts/${name}.ts at 'name': the service '${name}' on ${running.join(', ')} has the name '${name}.${facts.domain}' too`
  const hint = 'rename the host: its file, the name in it and the files of its identity'
  return [{ hosts: [name, ...running], error: new UserError('host', message, { hint, cause: { path: ['name'] } }) }]
}

function wrongProvider({ hosts }: Lab, service: string, name: HostName): LabProblem[] {
  const found = hosts.find((each) => each.name === name)
  if (found?.offers.some((each) => each.name === service)) return []
  const running = hosts.filter(({ offers }) => offers.some((each) => each.name === service)).map((each) => each.name)
  const problem = found === undefined ? `no host has the name '${name}'` : `'${name}' does not run '${service}'`
  const error = new UserError('host', `hosts/lab.ts at 'providers.${service}': ${problem}`, {
    hint:
      running.length === 0
        ? `remove 'providers.${service}', or add '${service}' to a host`
        : `hosts that run '${service}': ${running.join(', ')}`,
    cause: { path: ['providers', service] },
  })
  return [{ hosts: 'all', error }]
}
