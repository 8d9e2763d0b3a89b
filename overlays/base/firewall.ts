import { type FileTree, file } from '../../images/tree.ts'
import type { Port } from '../offer.ts'
import { BASE_PORTS } from './offer.ts'

/**
 * The nftables rules: accept connections to the ports of the base and to the given ports that are open to the lab.
 * Outgoing traffic is not filtered.
 */
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
        // Names ICMP and ICMPv6 by number, because the image has no /etc/protocols. Neighbour discovery is ICMPv6: without
        // it, no other machine finds the host's IPv6 address.
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
