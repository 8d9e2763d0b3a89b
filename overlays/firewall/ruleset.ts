import { accountId } from '../../images/ids.ts'
import type { InterfaceAddress } from '../../images/ip-address.ts'
import { setElements } from './inside.ts'
import type { Opening } from './openings.ts'
import { acceptingRules, addressMatches, anyOf } from './reach.ts'
import type { Sender } from './senders.ts'

export interface Firewall {
  readonly senders: readonly Sender[]
  readonly openings: readonly Opening[]
  /** The networks that are not the internet. */
  readonly inside: readonly InterfaceAddress[]
}

/** The name of the table. Health checks and metrics look for it. */
export const TABLE = 'hangar'

/**
 * Protocols that the kernel itself speaks: ICMP, IGMP and ICMPv6. They have numbers here, because the image has no
 * /etc/protocols. Neighbour discovery is ICMPv6: without it, no other machine finds the host's IPv6 address.
 */
const KERNEL_PROTOCOLS = { incoming: '{ 1, 58 }', outgoing: '{ 1, 2, 58 }' }

/**
 * The nftables rules of a host. They accept exactly what the services declare, in both directions. All other packets are
 * rejected and counted, so that a program fails at once and the owner sees it.
 *
 * Packets within the host pass the output chain and then the input chain. The output chain decides, because it knows the
 * sender's user; the user in a container is the same number on the host.
 */
export function ruleset({ senders, openings, inside }: Firewall): string {
  const guarded = guardedServices(openings)
  const counters = [...senders.map(senderChain), ...guarded.map(serviceChain), OTHER, NOBODY, CLOSED]
  return [
    '#!/usr/sbin/nft -f',
    'flush ruleset',
    `table inet ${TABLE} {`,
    ...counters.map((name) => `  counter ${name} { }`),
    ...set('inside4', 'ipv4_addr', setElements(inside, 4)),
    ...set('inside6', 'ipv6_addr', setElements(inside, 6)),
    ...chain('input', inputRules(openings)),
    ...chain('output', outputRules(senders)),
    ...senders.flatMap((each) =>
      chain(senderChain(each), [...acceptingRules(each.reach), ...refusal(senderChain(each))]),
    ),
    ...guarded.flatMap((service) => chain(serviceChain(service), refusal(serviceChain(service)))),
    ...chain('refuse', REFUSE),
    '}',
    '',
  ].join('\n')
}

/** Chains and counters have the same names: the direction, the service, and the user of outgoing packets. */
const senderChain = ({ service, user }: Sender) => `out.${service}.${user}`
const serviceChain = (service: string) => `in.${service}`
/** Packets of users that are neither root nor a sender. */
const OTHER = 'out.host.other'
/** Packets that belong to no user: those of the kernel itself. */
const NOBODY = 'out.host.kernel'
/** Packets of other machines to ports that no service has. */
const CLOSED = 'in.host'

function inputRules(openings: readonly Opening[]): string[] {
  return [
    'type filter hook input priority filter; policy drop;',
    'ct state established,related accept',
    'ct state invalid drop',
    // The output chain has already accepted these packets.
    'iif lo accept',
    `meta l4proto ${KERNEL_PROTOCOLS.incoming} accept`,
    ...openings.flatMap(openingRules),
    ...guardedServices(openings).flatMap((service) => guardRules(service, openings)),
    // Other machines of the network ask for ports that the host does not have. It does not answer them.
    `counter name ${CLOSED} drop`,
  ]
}

function openingRules({ port: { number, protocol, purpose }, from }: Opening): string[] {
  const rule = `${protocol} dport ${number} accept comment "${purpose}"`
  return from === 'anywhere' ? [rule] : addressMatches('saddr', from).map((match) => `${match} ${rule}`)
}

/** The services with ports that are not open to every machine. */
function guardedServices(openings: readonly Opening[]): string[] {
  return [...new Set(openings.filter(isGuarded).map(({ service }) => service))]
}

function isGuarded({ from }: Opening): boolean {
  return from !== 'anywhere'
}

function guardRules(service: string, openings: readonly Opening[]): string[] {
  const guarded = openings.filter((each) => isGuarded(each) && each.service === service)
  return (['tcp', 'udp'] as const).flatMap((protocol) => {
    const ports = guarded.filter(({ port }) => port.protocol === protocol).map(({ port }) => port.number)
    return ports.length === 0 ? [] : [`${protocol} dport ${anyOf(ports)} goto ${serviceChain(service)}`]
  })
}

function outputRules(senders: readonly Sender[]): string[] {
  const verdicts = senders.map((each) => `${accountId(each.user)} : goto ${senderChain(each)}`)
  return [
    'type filter hook output priority filter; policy drop;',
    'ct state established,related accept',
    // The kernel repeats packets of connections that have just ended. They are no attempt of a service.
    'ct state invalid drop',
    `meta skuid vmap { 0 : accept, ${verdicts.join(', ')} }`,
    // A packet without a socket has no user. It matches no rule with skuid.
    `meta skuid != 0 ${logged(OTHER)}`,
    `meta skuid != 0 counter name ${OTHER} goto refuse`,
    `meta l4proto ${KERNEL_PROTOCOLS.outgoing} accept`,
    `counter name ${NOBODY} drop`,
  ]
}

function refusal(name: string): string[] {
  return [logged(name), `counter name ${name} goto refuse`]
}

/** Writes a few packets to the kernel log, so that the owner sees the address and the port. */
function logged(name: string): string {
  return `limit rate 6/minute burst 5 packets log prefix "hangar-firewall ${name} "`
}

// A program sees 'connection refused' or 'no route to host' at once, instead of waiting for an answer.
const REFUSE = ['meta l4proto 6 reject with tcp reset', 'reject with icmpx admin-prohibited']

function chain(name: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, ...rules.map((rule) => `    ${rule}`), '  }']
}

function set(name: string, type: string, elements: readonly string[]): string[] {
  return [`  set ${name} {`, `    type ${type}; flags interval;`, `    elements = { ${elements.join(', ')} }`, '  }']
}
