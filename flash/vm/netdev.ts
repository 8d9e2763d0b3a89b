import type { IpAddress } from '../../images/ip-address.ts'
import type { MacAddress } from './mac-address.ts'
import { type HostNetwork, type UserNetwork, userNetwork } from './subnet.ts'

/** A port of the guest, reachable on this machine's loopback. */
export interface ForwardedPort {
  readonly guestPort: number
  readonly port: number
}

/** What the machine's network card is connected to. */
export type Link =
  /** A user network of its own. */
  | { readonly kind: 'alone'; readonly network: HostNetwork; readonly forwards: readonly ForwardedPort[] }
  /** A port of the switch, which other machines are connected to. */
  | { readonly kind: 'switch'; readonly socket: string; readonly mac: MacAddress }

/** QEMU's user network: the gateway, a name server, and the way from this machine's loopback to the guests. */
export interface UserNetworks {
  readonly ipv4: UserNetwork | undefined
  readonly ipv6: UserNetwork | undefined
}

export interface GuestForward extends ForwardedPort {
  readonly address: IpAddress
}

/** The network card, connected to its link. */
export function linkArguments(link: Link): string[] {
  // Turns off the boot ROM of the network card, because it is in a package that hangar does not unpack, and QEMU
  // would not start without it.
  const card = 'virtio-net-pci,netdev=net,romfile='
  if (link.kind === 'switch') {
    return ['-netdev', stream('net', link.socket), '-device', `${card},mac=${link.mac}`]
  }
  const { network, forwards } = link
  const [ipv4, ipv6] = [userNetwork(network, 4), userNetwork(network, 6)]
  const own = ipv4 === undefined ? [] : forwards.map((forward) => ({ ...forward, address: ipv4.address }))
  return ['-netdev', user('net', { ipv4, ipv6 }, own), '-device', card]
}

/** The arguments of a QEMU without a machine, which connects a user network to a port of the switch. */
export function gatewayArguments(options: {
  readonly networks: UserNetworks
  readonly forwards: readonly GuestForward[]
  readonly socket: string
  /** Unix socket of QEMU's monitor. */
  readonly control: string
}): string[] {
  const { networks, forwards, socket, control } = options
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-M', 'none', '-m', '1M'],
    // QEMU listens on the ports before it connects to the switch.
    ...['-netdev', user('user', networks, forwards), '-netdev', stream('switch', socket)],
    ...['user', 'switch'].flatMap((name) => ['-netdev', `hubport,id=${name}-port,hubid=0,netdev=${name}`]),
    ...['-qmp', `unix:${escaped(control)}`],
  ]
}

function stream(id: string, socket: string): string {
  return `stream,id=${id},server=off,addr.type=unix,addr.path=${escaped(socket)}`
}

function user(id: string, { ipv4, ipv6 }: UserNetworks, forwards: readonly GuestForward[]): string {
  return [
    ...['user', `id=${id}`],
    ...(ipv4 === undefined ? ['ipv4=off'] : ipv6 === undefined ? ['ipv6=off'] : ['ipv4=on', 'ipv6=on']),
    ...(ipv4 === undefined ? [] : ipv4Parameters(ipv4, forwards)),
    ...(ipv6 === undefined ? [] : [`ipv6-net=${ipv6.network}`, `ipv6-host=${ipv6.gateway}`, `ipv6-dns=${ipv6.dns}`]),
  ].join(',')
}

function ipv4Parameters({ network, gateway, dns, leases }: UserNetwork, forwards: readonly GuestForward[]): string[] {
  const ports = forwards.map(({ address, guestPort, port }) => `hostfwd=tcp:127.0.0.1:${port}-${address}:${guestPort}`)
  return [`net=${network}`, `host=${gateway}`, `dns=${dns}`, `dhcpstart=${leases}`, ...ports]
}

/** Doubles commas, because QEMU ends a value at a single one. */
export function escaped(path: string): string {
  return path.replaceAll(',', ',,')
}
