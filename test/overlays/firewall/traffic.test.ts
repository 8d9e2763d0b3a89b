import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { accountId } from '../../../images/ids.ts'
import { parseIpAddress } from '../../../images/ip-address.ts'
import { emergencyRuleset } from '../../../overlays/firewall/emergency.ts'
import { firewallHost, neighbour, port, rulesOf } from '../../helpers/firewall-host.ts'
import {
  type Attempt,
  type Machine,
  type TwoMachines,
  twoMachines,
  withoutNamespaces,
} from '../../helpers/network/machines.ts'

/** The other machine has all of these addresses, which stand for several machines. */
const AT = {
  gateway: '192.0.2.1',
  other: '192.0.2.20',
  other6: 'fd00::20',
  stranger: '192.0.2.99',
  adapter: '192.0.2.77',
  internet: '203.0.113.5',
  internet6: '2001:db8:5::5',
  privateElsewhere: '10.9.9.9',
}
const OWN = { ipv4: '192.0.2.10', ipv6: 'fd00::10' }

const LAB = firewallHost(
  { network: { address: [`${OWN.ipv4}/24`, `${OWN.ipv6}/64`], gateway: AT.gateway } },
  [
    {
      ...{ name: 'broker', user: 'mosquitto', ports: [port(1883, 'lab'), port(6379, 'host')] },
      uses: [],
    },
    {
      ...{ name: 'reader', user: 'prometheus', ports: [port(9090, 'lab')] },
      uses: [
        { service: 'host', port: 9100 },
        { service: 'broker', port: 1883 },
        { service: 'store', port: 7000 },
        { machine: parseIpAddress(AT.adapter), ports: [['tcp', 6638]] },
      ],
    },
    { name: 'mailer', user: 'alertmanager', uses: [{ internet: [['tcp', 443]] }] },
  ],
  [
    neighbour('other', [AT.other, AT.other6], {
      offers: [{ name: 'store', ports: [port(7000, 'lab')] }],
      uses: [{ service: 'broker', port: 6379 }],
    }),
  ],
)
const RULES = rulesOf(LAB)
const [BROKER, READER, MAILER] = ['mosquitto', 'prometheus', 'alertmanager'].map(accountId) as [number, number, number]
const [RESOLVER, CLOCK] = ['systemd-resolve', 'systemd-timesync'].map(accountId) as [number, number]
const [ROOT, NOBODY] = [0, 65534]
const REFUSED = 'ECONNREFUSED'

const tcp = (uid: number, address: string, number: number): Attempt => ({ uid, protocol: 'tcp', address, port: number })
const udp = (uid: number, address: string, number: number): Attempt => ({ uid, protocol: 'udp', address, port: number })

/** What the host sends, and whether the rules admit it. */
const SENT: readonly (readonly [string, Attempt, admitted: boolean])[] = [
  ['its own port, for its health check', tcp(BROKER, '127.0.0.1', 1883), true],
  ['its own port that is for the host only', tcp(BROKER, '::1', 6379), true],
  ['a port that it uses, at 127.0.0.1', tcp(READER, '127.0.0.1', 1883), true],
  ['a port that it uses, at ::1', tcp(READER, '::1', 1883), true],
  ['a port that it uses, at the address of its host', tcp(READER, OWN.ipv4, 1883), true],
  ['a port that it uses, at the IPv6 address of its host', tcp(READER, OWN.ipv6, 9100), true],
  ['another port of a service that it uses', tcp(READER, '127.0.0.1', 6379), false],
  ['a port of a service that uses it', tcp(BROKER, '127.0.0.1', 9090), false],
  ['the same port at the address of its host', tcp(BROKER, OWN.ipv4, 9090), false],
  ['the same port at the IPv6 address of its host', tcp(BROKER, OWN.ipv6, 9090), false],
  ['ssh of its host', tcp(READER, '127.0.0.1', 22), false],
  ['a port that it uses at another host', tcp(READER, AT.other, 7000), true],
  ['a port that it uses at another host, over IPv6', tcp(READER, AT.other6, 7000), true],
  ['another port of that host', tcp(READER, AT.other, 1883), false],
  ['the same port of another machine', tcp(READER, AT.stranger, 7000), false],
  ['a port of a host that only other services use', tcp(BROKER, AT.other, 7000), false],
  ['a machine that it uses', tcp(READER, AT.adapter, 6638), true],
  ['another port of that machine', tcp(READER, AT.adapter, 443), false],
  ['the internet without permission', tcp(READER, AT.internet, 443), false],
  ['the internet', tcp(MAILER, AT.internet, 443), true],
  ['the internet over IPv6', tcp(MAILER, AT.internet6, 443), true],
  ['another port of the internet', tcp(MAILER, AT.internet, 80), false],
  ['the same port by UDP', udp(MAILER, AT.internet, 443), false],
  ['the port at a machine of the lab', tcp(MAILER, AT.stranger, 443), false],
  ['the port at its own host', tcp(MAILER, '127.0.0.1', 443), false],
  ['the port at a private address elsewhere', tcp(MAILER, AT.privateElsewhere, 443), false],
  ['the resolver of its host, because it uses the internet', udp(MAILER, '127.0.0.53', 53), true],
  ['the resolver of its host without permission', udp(READER, '127.0.0.53', 53), false],
  ['a name server of its own choice', udp(MAILER, AT.gateway, 53), false],
  ['the name server of the host file', udp(RESOLVER, AT.gateway, 53), true],
  ['the name server by TCP', tcp(RESOLVER, AT.gateway, 53), true],
  ['another name server', udp(RESOLVER, AT.internet, 53), false],
  ['a time server', udp(CLOCK, AT.internet, 123), true],
  ['something else than a time server', tcp(CLOCK, AT.internet, 443), false],
  ['any port, as root', tcp(ROOT, AT.internet, 80), true],
  ['any port of the host, as root', tcp(ROOT, '127.0.0.1', 6379), true],
  ['any port, as another user', tcp(NOBODY, AT.internet, 443), false],
  ['any port of the host, as another user', tcp(NOBODY, '127.0.0.1', 1883), false],
]

/** What other machines send, and whether the rules admit it. */
const RECEIVED: readonly (readonly [string, from: string, Attempt['port'], result: string])[] = [
  ['ssh from anywhere', AT.internet, 22, 'open'],
  ['a port that is open to the lab, from anywhere', AT.stranger, 1883, 'open'],
  ['a port that is for the host only, from a host whose service uses it', AT.other, 6379, 'open'],
  ['the same port from another machine', AT.stranger, 6379, REFUSED],
  ['a port that no service has', AT.other, 8080, 'silent'],
]

const why = await withoutNamespaces()
if (why !== undefined) it(`SKIPPED, no packet was sent: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('the firewall of a host', () => {
  let machines: TwoMachines
  let host: Machine
  let other: Machine
  beforeAll(async () => {
    machines = await twoMachines()
    host = machines.host
    other = machines.other
    host.run(`$ip addr add ${OWN.ipv4}/24 dev wire; $ip addr add ${OWN.ipv6}/64 dev wire nodad`)
    const added = Object.values(AT).map((each) => `${each}/${each.includes(':') ? '64 dev wire nodad' : '24 dev wire'}`)
    other.run(added.map((each) => `$ip addr add ${each}`).join('; '))
    host.run(`$ip route add default via ${AT.gateway}; $ip route add default via ${AT.other6}`)
    other.run(`$ip route add default via ${OWN.ipv4}`)
    const outgoing = SENT.map(([, { protocol, port: number }]) => `${protocol}:${number}`)
    const ports = [...new Set([...outgoing, ...RECEIVED.map(([, , number]) => `tcp:${number}`)])]
    await Promise.all([host.listen(...ports), other.listen(...ports)])
  })
  afterAll(() => machines?.end())
  beforeEach(() => host.load('flush ruleset'))
  const attempts = SENT.map(([, each]) => each)
  const received = RECEIVED.map(([, from, number]) => ({ ...tcp(ROOT, OWN.ipv4, number), from }))
  const table = (names: readonly (readonly [string, ...unknown[]])[], results: readonly unknown[]) =>
    Object.fromEntries(names.map(([name], index) => [name, results[index]]))

  it('admits exactly what the services declare, rejects everything else at once, and counts it', () => {
    host.load(RULES)
    const sent = host.attempt(attempts)
    const refused = SENT.map(([, { protocol }, admitted]) =>
      admitted ? 'open' : protocol === 'tcp' ? REFUSED : 'EPERM',
    )
    expect(table(SENT, sent)).toEqual(table(SENT, refused))
    expect(table(RECEIVED, other.attempt(received))).toEqual(
      table(
        RECEIVED,
        RECEIVED.map(([, , , result]) => result),
      ),
    )

    const counters = JSON.parse(host.run('$nft -j list counters')).nftables as {
      counter?: { name: string; packets: number }
    }[]
    const counted = Object.fromEntries(
      counters.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
    )
    const rejected = (...uids: number[]) =>
      SENT.filter(([, { uid }, admitted]) => !admitted && uids.includes(uid)).length
    expect(counted).toMatchObject({
      'out.broker.mosquitto': rejected(BROKER),
      'out.reader.prometheus': rejected(READER),
      'out.mailer.alertmanager': rejected(MAILER),
      'out.host.systemd-resolve': rejected(RESOLVER),
      'out.host.systemd-timesync': rejected(CLOCK),
      'out.host.other': rejected(NOBODY),
      'out.host.kernel': 0,
      'in.broker': 1,
    })
    expect(counted['in.host']).toBeGreaterThan(0)
  })

  it('admits everything without its rules (negative control)', () => {
    expect(table(SENT, host.attempt(attempts))).toEqual(
      table(
        SENT,
        SENT.map(() => 'open'),
      ),
    )
    expect(new Set(other.attempt(received))).toEqual(new Set(['open']))
  })

  it('answers pings and pings its gateway, but a container sends no ping', () => {
    host.load(RULES)
    const ping = (uid: number, to: string) =>
      `echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range; setpriv --reuid ${uid} --regid ${uid} --clear-groups busybox ping -c 1 -W 2 ${to} >/dev/null 2>&1 && echo answered || echo nothing`
    expect(host.run(ping(ROOT, AT.gateway))).toBe('answered\n')
    expect(host.run(ping(ROOT, AT.other6))).toBe('answered\n')
    expect(other.run(ping(ROOT, OWN.ipv6))).toBe('answered\n')
    expect(host.run(ping(BROKER, AT.gateway))).toBe('nothing\n')
  })

  it('admits only ssh from outside in an emergency, and keeps the services of the host together', () => {
    host.load(emergencyRuleset())
    expect(other.attempt(received)).toEqual(['open', ...received.slice(1).map(() => 'silent')])
    expect(
      host.attempt([tcp(READER, '127.0.0.1', 1883), tcp(ROOT, AT.internet, 443), udp(RESOLVER, AT.gateway, 53)]),
    ).toEqual([...['open', 'open', 'open']])
    expect(host.attempt([tcp(READER, AT.other, 7000)])).not.toContain('open')
  })

  it('keeps the former rules if the new ones are wrong', () => {
    host.load(RULES)
    expect(() => host.load(RULES.replace('goto refuse', 'goto nowhere'))).toThrow('nowhere')
    expect(host.attempt([tcp(BROKER, '127.0.0.1', 9090)])).toEqual([REFUSED])
  })
})
