import { describe, expect, it } from 'vitest'
import { parseInterfaceAddress } from '../../../images/machine-address.ts'
import { firewallFiles } from '../../../overlays/base/firewall.ts'
import { BASE_PORTS } from '../../../overlays/base/offer.ts'
import type { Use } from '../../../overlays/container.ts'
import type { Port } from '../../../overlays/offer.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'
import { firewallHost, neighbour, port, rulesOf } from '../../helpers/firewall-host.ts'

const MQTT = port(1883, 'lab')
const INSIDE = port(6379, 'host')
const LOGS = port(514, 'lab', 'udp')
const STORE = neighbour('other', ['192.0.2.20', 'fd00::20'], {
  offers: [{ name: 'store', ports: [port(7000, 'lab')] }],
})

const chainsOf = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^ {2}chain (\S+) \{\n([^}]*(?:\{[^}]*\}[^}]*)*?)^ {2}\}/gm)].map(([, name = '', body = '']) => [
      name,
      body
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ]),
  )
const chains = (given: { ports?: Port[]; uses?: Use[]; lab?: Parameters<typeof firewallHost>[2] } = {}) =>
  chainsOf(rulesOf(firewallHost({}, [{ name: 'test', user: 'mosquitto', ...given }], given.lab)))
const input = (...ports: Port[]) => chains({ ports }).input ?? []
const opened = (lines: readonly string[]) => lines.flatMap((line) => /^(.*\w+ dport \d+) accept/.exec(line)?.[1] ?? [])
/** The rules that accept packets of the test service. */
const accepted = (uses: Use[], lab: Parameters<typeof firewallHost>[2] = [], ports: Port[] = []) =>
  (chains({ uses, ports, lab })['out.test.mosquitto'] ?? []).filter((line) => line.endsWith(' accept'))

describe('incoming packets', () => {
  it('the firewall opens the ports of the base, and the ports that the lab may reach', () => {
    expect(opened(input())).toEqual(['tcp dport 22', 'tcp dport 9100'])
    expect(opened(input(MQTT, LOGS))).toEqual([...opened(input()), 'tcp dport 1883', 'udp dport 514'])
  })

  it('the firewall keeps ports closed that are for the host only, and counts who tries them', () => {
    expect(opened(input(INSIDE))).toEqual(opened(input()))
    expect(input(INSIDE)).toContain('tcp dport 6379 goto in.test')
    expect(input(MQTT).join()).not.toContain('goto')
  })

  it('the firewall opens a port that is for the host only to the hosts whose services use it', () => {
    const user = neighbour('other', ['192.0.2.20', 'fd00::20'], { uses: [{ service: 'test', port: 6379 }] })
    const lines = chains({ ports: [INSIDE, MQTT], lab: [user] }).input ?? []
    expect(opened(lines).filter((line) => line.includes('6379'))).toEqual([
      'ip saddr 192.0.2.20 tcp dport 6379',
      'ip6 saddr fd00::20 tcp dport 6379',
    ])
    // A host that uses another port, or that runs the service itself.
    for (const other of [
      neighbour('other', ['192.0.2.20'], { uses: [{ service: 'test', port: 1883 }] }),
      neighbour('other', ['192.0.2.20'], {
        uses: [{ service: 'test', port: 6379 }],
        offers: [{ name: 'test', ports: [INSIDE] }],
      }),
    ])
      expect(chains({ ports: [INSIDE, MQTT], lab: [other] }).input?.join()).not.toContain('saddr')
  })

  it('the firewall replaces the previous rules, and drops all other incoming packets', () => {
    expect(rulesOf(firewallHost({}, []))).toContain('\nflush ruleset\n')
    const lines = input(MQTT)
    expect(lines.find((line) => line.includes('hook input'))).toMatch(/policy drop;$/)
    const accepting = lines.filter((line) => line.includes('accept') && !line.includes('dport'))
    expect(accepting).toEqual([
      'ct state established,related accept',
      expect.stringMatching(/^iif(name)? "?lo"? accept$/),
      'meta l4proto { 1, 58 } accept',
    ])
    expect(lines.at(-1)).toBe('counter name in.host drop')
  })

  it('the firewall opens a port for IPv4 and IPv6 alike', () => {
    expect(input(MQTT, LOGS).filter((line) => /\bip6? |nfproto|saddr|daddr/.test(line))).toEqual([])
    expect(rulesOf(firewallHost({}, [])).match(/^table .*$/gm)).toEqual(['table inet hangar {'])
  })

  it('the firewall opens ssh on every host', () => {
    expect(BASE_PORTS).toContainEqual(expect.objectContaining({ number: 22, protocol: 'tcp', reach: 'lab' }))
  })
})

describe('outgoing packets of a container', () => {
  it('a container that uses nothing reaches only the ports of its own service, on its own host', () => {
    expect(accepted([])).toEqual([])
    expect(accepted([], [], [MQTT, INSIDE, LOGS])).toEqual([
      'oif lo tcp dport { 1883, 6379 } accept',
      'oif lo udp dport 514 accept',
    ])
  })

  it('a container reaches the ports that it uses, at this host or at the host that provides the service', () => {
    expect(accepted([{ service: 'host', port: 9100 }])).toEqual(['oif lo tcp dport 9100 accept'])
    expect(accepted([{ service: 'store', port: 7000 }], [STORE])).toEqual([
      'ip daddr 192.0.2.20 tcp dport 7000 accept',
      'ip6 daddr fd00::20 tcp dport 7000 accept',
    ])
  })

  it('a container reaches the ports of a machine that it uses', () => {
    const use = { machine: STORE.addresses[0], ports: [['tcp', 6638]] } as Use
    expect(accepted([use])).toEqual(['ip daddr 192.0.2.20 tcp dport 6638 accept'])
  })

  it('a container reaches the internet, and the name server of its host, only if it uses the internet', () => {
    expect(
      accepted([
        {
          internet: [
            ['tcp', 443],
            ['udp', 123],
            ['tcp', 80],
          ],
        },
      ]),
    ).toEqual([
      'ip daddr != @inside4 tcp dport { 80, 443 } accept',
      'ip6 daddr != @inside6 tcp dport { 80, 443 } accept',
      'ip daddr != @inside4 udp dport 123 accept',
      'ip6 daddr != @inside6 udp dport 123 accept',
      'ip daddr { 127.0.0.1, 127.0.0.53 } udp dport 53 accept',
      'ip daddr { 127.0.0.1, 127.0.0.53 } tcp dport 53 accept',
    ])
  })

  it('private addresses, the networks of the host and of the lab, and its hosts are not the internet', () => {
    const small = firewallHost(
      { network: { address: ['203.0.113.10/25', '2001:db8:1::10/64'], gateway: '203.0.113.1' } },
      [],
      [neighbour('other', ['203.0.113.200', '2001:db8:2::20', '203.0.113.7'], {})],
    )
    const elements = (name: string, ...networks: string[]) =>
      new RegExp(`set ${name} \\{[^=]*= \\{ (.*) \\}`)
        .exec(rulesOf(small, networks.map(parseInterfaceAddress)))?.[1]
        ?.split(', ')
    expect(elements('inside4')).toEqual(expect.arrayContaining(['10.0.0.0/8', '192.168.0.0/16', '127.0.0.0/8']))
    expect(elements('inside4')?.filter((each) => each.startsWith('203.'))).toEqual([
      '203.0.113.0/25',
      '203.0.113.200/32',
    ])
    expect(elements('inside6')?.filter((each) => each.startsWith('2001'))).toEqual([
      '2001:db8:1::/64',
      '2001:db8:2::20/128',
    ])
    expect(elements('inside4', '198.51.100.1/24')).toContain('198.51.100.0/24')
  })

  it('throws for a use without a provider, which the checks should have refused', () => {
    expect(() => accepted([{ service: 'store', port: 7000 }])).toThrow("nothing offers port 7000 of 'store'")
  })

  it('rejects, counts and logs all other packets of a container', () => {
    expect(chains()['out.test.mosquitto']).toEqual([
      'limit rate 6/minute burst 5 packets log prefix "hangar-firewall out.test.mosquitto "',
      'counter name out.test.mosquitto goto refuse',
    ])
    expect(chains().refuse).toEqual(['meta l4proto 6 reject with tcp reset', 'reject with icmpx admin-prohibited'])
  })
})

describe('outgoing packets of the system', () => {
  it('root sends all packets, the resolver asks the name servers of the host file, and the clock asks time servers', () => {
    const { output = [], ...rest } = chains()
    expect(output.find((line) => line.includes('vmap'))).toBe(
      'meta skuid vmap { 0 : accept, 103 : goto out.host.systemd-resolve, 104 : goto out.host.systemd-timesync, 120 : goto out.test.mosquitto }',
    )
    expect(rest['out.host.systemd-resolve']?.slice(0, 2)).toEqual([
      'ip daddr 192.0.2.1 udp dport 53 accept',
      'ip daddr 192.0.2.1 tcp dport 53 accept',
    ])
    expect(rest['out.host.systemd-timesync']?.slice(0, 3)).toContain('udp dport 123 accept')
  })

  it('all other users send nothing, and the kernel speaks only its own protocols', () => {
    const lines = chains().output ?? []
    expect(lines[0]).toMatch(/hook output .* policy drop;$/)
    expect(lines.slice(-3)).toEqual([
      'meta skuid != 0 counter name out.host.other goto refuse',
      'meta l4proto { 1, 2, 58 } accept',
      'counter name out.host.kernel drop',
    ])
  })
})

describe('a ruleset that cannot be loaded', () => {
  const { host, services } = firewallHost({}, [])
  const files = firewallFiles(host, services)

  it('starts the emergency rules before the network', () => {
    expect(linesAt(files, '/etc/systemd/system/nftables.service.d/hangar.conf')).toContain(
      'OnFailure=hangar-firewall-emergency.service',
    )
    const unit = linesAt(files, '/etc/systemd/system/hangar-firewall-emergency.service')
    expect(unit).toEqual(expect.arrayContaining(['DefaultDependencies=no', 'Before=network-pre.target']))
    const [path = ''] = unit.flatMap((line) => /^ExecStart=\/usr\/sbin\/nft -f (\S+)$/.exec(line)?.[1] ?? [])
    expect(textAt(files, path)).toContain('table inet emergency {')
    // A unit that stays active would not run at the next failure.
    expect(unit).not.toContain('RemainAfterExit=yes')
  })

  it('leaves only ssh open', () => {
    expect(opened(linesAt(files, '/usr/share/hangar/firewall-emergency.nft').map((line) => line.trim()))).toEqual([
      'tcp dport 22',
    ])
  })
})
