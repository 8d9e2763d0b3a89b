import type { IpAddress } from '../../images/ip-address.ts'
import type { HostName } from '../../images/names.ts'
import type { Protocol, Use } from '../container.ts'
import type { Host } from '../host-facts.ts'
import type { ContainerOnHost, HostServices, ServiceOnHost } from '../host-services.ts'
import { type Lab, providerOf } from '../lab-facts.ts'
import type { Destination, Reach } from './reach.ts'

/** A user of the host that may send packets, and what it may reach. */
export interface Sender {
  /** The service of the user's containers; `host` for an account of the system. */
  readonly service: string
  /** The name of the user in the id table. */
  readonly user: string
  readonly reach: readonly Reach[]
}

const THIS_HOST: Destination = { kind: 'host' }

/**
 * The stub of systemd-resolved: the name server in /etc/resolv.conf of the host and of its containers. Before the file exists,
 * the C library asks 127.0.0.1, and gets no answer.
 */
const RESOLVER: readonly Reach[] = reachOf(
  { kind: 'machines', addresses: ['127.0.0.1', '127.0.0.53'] as IpAddress[] },
  [
    ['udp', 53],
    ['tcp', 53],
  ],
)

/** The users of all containers, each with what its containers may reach together. */
export function containerSenders(host: HostName, { services, lab }: HostServices): Sender[] {
  return services.flatMap((service) => {
    const users = [...new Set(service.containers.map(({ user }) => user))]
    return users.map((user) => ({
      service: service.name,
      user,
      reach: service.containers
        .filter((container) => container.user === user)
        .flatMap((container) => containerReach({ host, lab }, service, container)),
    }))
  })
}

/** The accounts of the system that send packets. Root is not among them: the firewall does not filter root's packets. */
export function systemSenders({ network }: Host): Sender[] {
  const servers: Destination = { kind: 'machines', addresses: network.dns }
  const resolving = reachOf(servers, [
    ['udp', 53],
    ['tcp', 53],
  ])
  return [
    { service: 'host', user: 'systemd-resolve', reach: resolving },
    {
      service: 'host',
      user: 'systemd-timesync',
      reach: [...RESOLVER, ...reachOf({ kind: 'anywhere' }, [['udp', 123]])],
    },
  ]
}

interface Place {
  readonly host: HostName
  readonly lab: Lab
}

/** The ports of its own service, because a health check runs in the container as its user, and what the container uses. */
function containerReach(place: Place, { ports }: ServiceOnHost, { uses }: ContainerOnHost): Reach[] {
  const own = ports.map(({ protocol, number }) => [protocol, number] as const)
  const resolves = uses.some((use) => 'internet' in use)
  return [...reachOf(THIS_HOST, own), ...uses.flatMap((use) => useReach(place, use)), ...(resolves ? RESOLVER : [])]
}

function useReach(place: Place, use: Use): Reach[] {
  if ('service' in use) return serviceReach(place, use)
  if ('machine' in use) return reachOf({ kind: 'machines', addresses: [use.machine] }, use.ports)
  if ('internet' in use) return reachOf({ kind: 'internet' }, use.internet)
  return []
}

function serviceReach({ host, lab }: Place, { service, port }: { readonly service: string; readonly port: number }) {
  const provider = providerOf(lab, host, service)
  const offered = provider?.offers.find(({ name }) => name === service)?.ports.filter(({ number }) => number === port)
  if (provider === undefined || offered === undefined || offered.length === 0)
    throw new Error(`nothing offers port ${port} of '${service}': the checks of the host should have refused it`)
  const to: Destination = provider.name === host ? THIS_HOST : { kind: 'machines', addresses: provider.addresses }
  return reachOf(
    to,
    offered.map(({ protocol }) => [protocol, port] as const),
  )
}

function reachOf(to: Destination, ports: readonly (readonly [Protocol, number])[]): Reach[] {
  return ports.map(([protocol, port]) => ({ to, protocol, port }))
}
