import { UserError } from '../../errors.ts'
import type { HostName } from '../../images/names.ts'
import type { ServiceOnHost } from '../../overlays/host-services.ts'
import { type Lab, type LabHost, providerOf } from '../../overlays/lab-facts.ts'

/** Refuses a connection to a service that no host of the lab offers, or that is not open to the host. */
export function checkUses(host: HostName, services: readonly ServiceOnHost[], lab: Lab): void {
  for (const { name, containers } of services) {
    for (const use of containers.flatMap(({ uses }) => uses.flatMap((use) => ('service' in use ? [use] : [])))) {
      const found = useProblem({ ...use, host, user: name }, lab)
      if (found === undefined) continue
      const what = `${host}: service '${name}' uses port ${use.port} of '${use.service}'`
      throw new UserError('host', `${what}, but ${found.problem}`, { hint: found.hint })
    }
  }
}

/** A connection of the service `user` on a host to a port of `service`. */
interface Connection {
  readonly host: HostName
  readonly user: string
  readonly service: string
  readonly port: number
}

type Problem = { readonly problem: string; readonly hint: string } | undefined

function useProblem(use: Connection, lab: Lab): Problem {
  const provider = providerOf(lab, use.host, use.service)
  const named = lab.facts.providers[use.service]
  // Without this rule, another host that runs the service would take the place of the named one.
  if (named !== undefined && provider?.name !== use.host && provider?.name !== named) return wrongProvider(named, lab)
  return provider === undefined ? withoutProvider(use, lab) : portProblem(use, provider)
}

function wrongProvider(named: HostName, { hosts }: Lab): Problem {
  const isValid = hosts.some(({ name }) => name === named)
  return {
    problem: `hosts/lab.ts names '${named}' for it, ${isValid ? 'which does not run it' : `and hosts/${named}.ts is not valid`}`,
    hint: `correct ${isValid ? "'providers' in hosts/lab.ts" : `hosts/${named}.ts`}: npm run check`,
  }
}

function withoutProvider({ host, user, service }: Connection, { hosts }: Lab): Problem {
  const running = hosts.filter((each) => portsOf(each, service) !== undefined).map(({ name }) => name)
  if (running.length === 0)
    return {
      problem: `no host of the lab runs '${service}'`,
      hint: `add '${service}' to 'services' in hosts/${host}.ts or of another host, or remove '${user}'`,
    }
  return {
    problem: `several hosts run '${service}': ${running.join(', ')}`,
    hint: `name one of them in hosts/lab.ts: providers: { ${service}: '${running[0]}' }`,
  }
}

function portProblem({ host, user, service, port }: Connection, provider: LabHost): Problem {
  const found = portsOf(provider, service)?.filter(({ number }) => number === port) ?? []
  if (found.length === 0)
    return {
      problem: `'${service}' does not listen on it`,
      hint: `correct the port in overlays/services/${user}, or remove '${user}' from 'services' in hosts/${host}.ts`,
    }
  if (provider.name === host || found.some(({ reach }) => reach === 'lab')) return undefined
  return {
    problem: `it is open to '${provider.name}' itself only`,
    hint: `run '${service}' on '${host}' too, or '${user}' on '${provider.name}'`,
  }
}

function portsOf({ offers }: LabHost, service: string) {
  return offers.find(({ name }) => name === service)?.ports
}
