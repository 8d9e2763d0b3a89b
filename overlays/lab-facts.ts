import type { IpAddress } from '../images/ip-address.ts'
import type { DomainName, HostName } from '../images/names.ts'
import type { ServiceUse } from './container.ts'
import type { Offer } from './offer.ts'

/** What the hosts of a lab share: `hosts/lab.ts`, parsed, with all defaults applied. */
export interface LabFacts {
  readonly domain: DomainName
  /** The host that runs a service, for services that several hosts run: `{ mosquitto: 'adama' }`. */
  readonly providers: Readonly<Record<string, HostName>>
}

/** A host as the other hosts of the lab see it. */
export interface LabHost {
  readonly name: HostName
  readonly addresses: readonly IpAddress[]
  /** The offer of the host itself, and then the offers of its services in the order of their names. */
  readonly offers: readonly Offer[]
  /** The ports that its services connect to. Absent while hangar renders the services to find them. */
  readonly uses?: readonly ServiceUse[]
}

/** A whole lab, as its services see it. */
export interface Lab {
  readonly facts: LabFacts
  /** All hosts, sorted by name. */
  readonly hosts: readonly LabHost[]
}

/** The host that a service of `host` connects to when it uses `service`: the host itself first, then the lab's provider. */
export function providerOf({ facts, hosts }: Lab, host: HostName, service: string): LabHost | undefined {
  const running = hosts.filter(({ offers }) => offers.some(({ name }) => name === service))
  const named = running.find(({ name }) => name === facts.providers[service])
  return running.find(({ name }) => name === host) ?? named ?? (running.length === 1 ? running[0] : undefined)
}
