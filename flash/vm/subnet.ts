import { UserError } from '../../errors.ts'

/** A host's addresses, from its host file. */
export interface HostNetwork {
  readonly address: string
  readonly prefix: number
  readonly gateway: string
  readonly dns: readonly string[]
}

/** The addresses of QEMU's user network, chosen so that the image's static addresses work. */
export interface UserNetwork {
  /** The network with its prefix length: `10.0.10.0/24`. */
  readonly network: string
  /** The gateway, which is the address of this machine in the guest's network. */
  readonly gateway: string
  /** QEMU's name server; its address must differ from the gateway's. */
  readonly dns: string
  /** The first of the 16 DHCP addresses that QEMU requires; the image uses none. */
  readonly leases: string
}

const LEASES = 16

export function userNetwork(host: HostNetwork): UserNetwork {
  const { address, prefix, gateway, dns } = host
  const size = 2 ** (32 - prefix)
  const first = Math.floor(toNumber(address) / size) * size
  const inside = (other: string) => Math.floor(toNumber(other) / size) * size === first
  if (size < 64 || !inside(gateway)) {
    throw new UserError('vm', `cannot emulate network '${address}/${prefix}' with gateway '${gateway}'`, {
      hint: 'in the host file, use a prefix of at most /26 and a gateway inside that network',
    })
  }
  const taken = new Set([address, gateway].map(toNumber))
  const leases = first + size - 1 - LEASES
  const free = Array.from({ length: 8 }, (_, index) => leases - 1 - index).find((candidate) => !taken.has(candidate))
  const server = dns.find((other) => inside(other) && !taken.has(toNumber(other)))
  return {
    network: `${toText(first)}/${prefix}`,
    gateway,
    dns: server ?? toText(free ?? first + 2),
    leases: toText(leases),
  }
}

function toNumber(address: string): number {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) {
    throw new UserError('vm', `'${address}' is not an IPv4 address`, {
      hint: 'write four numbers from 0 to 255, separated by dots',
    })
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}
