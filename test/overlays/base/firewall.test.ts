import { describe, expect, it } from 'vitest'
import { firewallFiles } from '../../../overlays/base/firewall.ts'
import { BASE_PORTS } from '../../../overlays/base/offer.ts'
import type { Port } from '../../../overlays/offer.ts'
import { linesAt } from '../../helpers/file-tree.ts'

const MQTT: Port = { number: 1883, protocol: 'tcp', reach: 'lab', purpose: 'MQTT', web: false }
const INSIDE: Port = { number: 6379, protocol: 'tcp', reach: 'host', purpose: 'for neighbours', web: false }
const LOGS: Port = { number: 514, protocol: 'udp', reach: 'lab', purpose: 'logs', web: false }

const rules = (...ports: Port[]) => linesAt(firewallFiles(ports), '/etc/nftables.conf').map((line) => line.trim())
const opened = (lines: readonly string[]) => lines.flatMap((line) => /^(\w+ dport \d+) accept/.exec(line)?.[1] ?? [])

describe('the firewall', () => {
  it('the firewall opens the ports of the base, and the ports that the lab may reach', () => {
    expect(opened(rules())).toEqual(['tcp dport 22', 'tcp dport 9100'])
    expect(opened(rules(MQTT, LOGS))).toEqual([...opened(rules()), 'tcp dport 1883', 'udp dport 514'])
  })

  it('the firewall keeps ports closed that are for the host only', () => {
    expect(rules(INSIDE)).toEqual(rules())
  })

  it('the firewall replaces the previous rules, and drops all other incoming packets', () => {
    const lines = rules(MQTT)
    expect(lines).toContain('flush ruleset')
    expect(lines.find((line) => line.includes('hook input'))).toMatch(/policy drop;$/)
    const accepting = lines.filter((line) => line.includes('accept') && !line.includes('dport'))
    expect(accepting).toEqual([
      'ct state established,related accept',
      expect.stringMatching(/^iif(name)? "?lo"? accept$/),
      expect.stringMatching(/icmp|l4proto/),
    ])
  })

  it('the firewall accepts ICMP and ICMPv6, because IPv6 finds no neighbour without it', () => {
    expect(rules()).toContain('meta l4proto { 1, 58 } accept')
    expect(rules().filter((line) => line.includes('table'))).toEqual(['table inet hangar {'])
  })

  it('the firewall opens a port for IPv4 and IPv6 alike', () => {
    expect(rules(MQTT, LOGS).filter((line) => /\bip6? |nfproto|saddr|daddr/.test(line))).toEqual([])
  })

  it('the firewall opens ssh on every host', () => {
    expect(BASE_PORTS).toContainEqual(expect.objectContaining({ number: 22, protocol: 'tcp', reach: 'lab' }))
  })
})
