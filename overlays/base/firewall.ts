import { type FileTree, file } from '../../images/tree.ts'
import type { Port } from '../service.ts'

/** Ports that the base itself listens on. */
export const BASE_PORTS: readonly Port[] = [
  { number: 22, protocol: 'tcp', reach: 'lab', purpose: 'ssh' },
  { number: 9100, protocol: 'tcp', reach: 'lab', purpose: 'metrics of the host' },
]

/** Nothing comes in but what is named; everything goes out. */
export function firewallFiles(ports: readonly Port[]): FileTree {
  const open = [...BASE_PORTS, ...ports].filter(({ reach }) => reach === 'lab')
  return {
    '/etc/nftables.conf': file(
      [
        '#!/usr/sbin/nft -f',
        'flush ruleset',
        'table inet hangar {',
        '  chain input {',
        '    type filter hook input priority filter; policy drop;',
        '    ct state established,related accept',
        '    ct state invalid drop',
        '    iif lo accept',
        // ICMP and ICMPv6 by number: there is no /etc/protocols to name them.
        '    meta l4proto { 1, 58 } accept',
        ...open.map(({ number, protocol, purpose }) => `    ${protocol} dport ${number} accept comment "${purpose}"`),
        '  }',
        '}',
        '',
      ].join('\n'),
      0o755,
    ),
  }
}
