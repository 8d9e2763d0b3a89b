import type { IpAddress } from '../../images/ip-address.ts'
import type { HostName } from '../../images/names.ts'
import { type Lab, providerOf } from '../lab-facts.ts'
import type { Offer, Port } from '../offer.ts'

/** A port of the host, and the machines that may send packets to it. */
export interface Opening {
  readonly service: string
  readonly port: Port
  readonly from: 'anywhere' | readonly IpAddress[]
}

/**
 * Every port of the host. A port with reach `lab` is open to every machine. Other hosts reach a port with reach `host` only if
 * one of their services uses it.
 */
export function openingsOf(host: HostName, lab: Lab, offers: readonly Offer[]): Opening[] {
  return offers.flatMap(({ name, ports }) =>
    ports.map((port) => ({
      service: name,
      port,
      from: port.reach === 'lab' ? 'anywhere' : usersOf(host, lab, name, port.number),
    })),
  )
}

/** The addresses of the other hosts whose services use a port of a service of this host. */
function usersOf(host: HostName, lab: Lab, service: string, port: number): IpAddress[] {
  const isUser = ({ name, uses = [] }: Lab['hosts'][number]) =>
    name !== host &&
    providerOf(lab, name, service)?.name === host &&
    uses.some((use) => use.service === service && use.port === port)
  return lab.hosts.filter(isUser).flatMap(({ addresses }) => addresses)
}
