import { UserError } from '../../errors.ts'

/** A host's place in its network, as its host file says. */
export interface HostNetwork {
  readonly address: string
  readonly prefix: number
  readonly gateway: string
  readonly dns: readonly string[]
}

/** Addresses that QEMU's user network takes, so that the image's own static ones work. */
export interface UserNetwork {
  /** `10.0.10.0/24` */
  readonly network: string
  /** The host that runs QEMU, seen from inside: the gateway. */
  readonly gateway: string
  /** QEMU's own name server; it cannot share the gateway's address. */
  readonly dns: string
  /** QEMU insists on room for 16 leases; nobody asks for one. */
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
      hint: 'give the host a prefix of at most /26 and a gateway inside it',
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
    throw new UserError('vm', `not an IPv4 address: '${address}'`, {
      hint: 'four numbers from 0 to 255 with dots between',
    })
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}
