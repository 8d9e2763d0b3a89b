import { familyOf, type IpAddress } from '../../images/ip-address.ts'
import type { Protocol } from '../container.ts'

/** Where packets go. */
export type Destination =
  /** This host, at any of its addresses. */
  | { readonly kind: 'host' }
  | { readonly kind: 'machines'; readonly addresses: readonly IpAddress[] }
  /** Every address outside the sets `inside4` and `inside6` of the ruleset. */
  | { readonly kind: 'internet' }
  | { readonly kind: 'anywhere' }

/** A port that a user of the host may send packets to. */
export interface Reach {
  readonly to: Destination
  readonly protocol: Protocol
  readonly port: number
}

/** nftables rules that accept exactly these packets, one rule for each destination, family and protocol. */
export function acceptingRules(reach: readonly Reach[]): string[] {
  const ports = new Map<string, Set<number>>()
  for (const { to, protocol, port } of reach) {
    for (const match of matches(to)) {
      const start = [match, protocol, 'dport'].filter((word) => word !== '').join(' ')
      ports.set(start, (ports.get(start) ?? new Set()).add(port))
    }
  }
  return [...ports].map(([start, numbers]) => `${start} ${anyOf([...numbers].sort((a, b) => a - b))} accept`)
}

function matches(to: Destination): string[] {
  switch (to.kind) {
    case 'host':
      // The kernel sends packets to every address of the host through the loopback interface.
      return ['oif lo']
    case 'machines':
      return addressMatches('daddr', to.addresses)
    case 'internet':
      return ['ip daddr != @inside4', 'ip6 daddr != @inside6']
    case 'anywhere':
      return ['']
  }
}

/** A match for each family that has addresses. */
export function addressMatches(field: 'saddr' | 'daddr', addresses: readonly IpAddress[]): string[] {
  return ([4, 6] as const).flatMap((family) => {
    const chosen = [...new Set(addresses)].filter((each) => familyOf(each) === family)
    return chosen.length === 0 ? [] : [`${family === 4 ? 'ip' : 'ip6'} ${field} ${anyOf(chosen)}`]
  })
}

/** One value, or a set of several. */
export function anyOf(values: readonly (string | number)[]): string {
  return values.length === 1 ? String(values[0]) : `{ ${values.join(', ')} }`
}
