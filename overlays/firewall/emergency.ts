import { accountId } from '../../images/ids.ts'

/**
 * The rules of a host whose own rules cannot be loaded: ssh from outside, and the services among themselves. They use only
 * basic expressions, so that they load whenever nftables works at all.
 */
export function emergencyRuleset(): string {
  const users = ['systemd-resolve', 'systemd-timesync'].map(accountId)
  return [
    '#!/usr/sbin/nft -f',
    'flush ruleset',
    'table inet emergency {',
    '  chain input {',
    '    type filter hook input priority filter; policy drop;',
    '    ct state established,related accept',
    '    iif lo accept',
    '    meta l4proto { 1, 58 } accept',
    '    tcp dport 22 accept',
    '  }',
    '  chain output {',
    '    type filter hook output priority filter; policy drop;',
    '    ct state established,related accept',
    '    oif lo accept',
    // Root, names and time: the owner and the agent repair the host with them.
    `    meta skuid { ${[0, ...users].join(', ')} } accept`,
    '    meta l4proto { 1, 2, 58 } accept',
    '  }',
    '}',
    '',
  ].join('\n')
}
