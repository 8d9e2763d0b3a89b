import { type InterfaceAddress, type IpAddress, isInNetwork } from '../images/ip-address.ts'
import type { DomainName, HostName } from '../images/names.ts'
import type { Offer } from './offer.ts'

/** What the hosts of a lab share: `hosts/lab.ts`, parsed, with all defaults applied. */
export interface LabFacts {
  readonly domain: DomainName
  /** Empty: hangar does not know the networks, and host files name gateways themselves. */
  readonly networks: readonly LabNetwork[]
  /** The names in the public DNS; undefined if the lab has none. */
  readonly external?: ExternalNames | undefined
  /** Names or addresses. Empty: Debian's pool. */
  readonly timeServers: readonly string[]
  /** The host that runs a service, for services that several hosts run: `{ mosquitto: 'adama' }`. */
  readonly providers: Readonly<Record<string, HostName>>
  readonly backups: readonly BackupTarget[]
  readonly alerts: AlertReceivers
  readonly registryMirrors: RegistryMirrors
}

/** A network of the lab: a VLAN, or the only network. */
export interface LabNetwork {
  readonly name: string
  /** The VLAN id (IEEE 802.1Q); undefined for untagged frames. */
  readonly vlan?: number | undefined
  /** The first address of each subnet, with the prefix length. */
  readonly subnets: readonly InterfaceAddress[]
  readonly gateways: readonly IpAddress[]
  readonly dns: readonly IpAddress[]
}

/** A domain in the public DNS, for certificates that every browser trusts (ACME, DNS-01). */
export interface ExternalNames {
  readonly domain: DomainName
  /** The mail address of the ACME account. */
  readonly mail: string
  readonly dns: {
    /** The DNS provider, as lego names it: `hetzner`, `rfc2136`. */
    readonly provider: string
    /** lego's environment variables that are not secret. */
    readonly settings: Readonly<Record<string, string>>
    /** lego's environment variables whose values are secrets. */
    readonly secrets: readonly string[]
  }
}

export interface BackupTarget {
  readonly name: string
  /** The repository in restic's notation: `rest:https://starbuck.lab:8000/`, `sftp:backup@nas.lab:/backup`. */
  readonly repository: string
}

/** Where alerts go. Without a receiver, alertmanager only shows them. */
export interface AlertReceivers {
  /** The URL that receives each alert as JSON. */
  readonly webhook?: string | undefined
  readonly mail?: AlertMail | undefined
}

export interface AlertMail {
  readonly to: string
  readonly from: string
  /** The mail server and its port: `mail.lab:25`. */
  readonly server: string
  /** `required`: no mail without encryption. `none`: no encryption, for a relay in the lab. */
  readonly tls: 'required' | 'none'
}

/** Mirrors that hangar asks before the public servers. */
export interface RegistryMirrors {
  /** The base URLs of mirrors by Debian's archive. */
  readonly debian: readonly string[]
  readonly 'debian-security': readonly string[]
}

/** The facts of a lab without `hosts/lab.ts`. */
export const DEFAULT_FACTS: LabFacts = {
  domain: 'lab' as DomainName,
  networks: [],
  timeServers: [],
  providers: {},
  backups: [],
  alerts: {},
  registryMirrors: { debian: [], 'debian-security': [] },
}

/** A host as the other hosts of the lab see it. */
export interface LabHost {
  readonly name: HostName
  readonly addresses: readonly IpAddress[]
  /** The offer of the host itself, and then the offers of its services in the order of their names. */
  readonly offers: readonly Offer[]
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

/** The network of the lab that contains an address. */
export function networkOf({ networks }: LabFacts, address: IpAddress): LabNetwork | undefined {
  return networks.find(({ subnets }) => subnets.some((subnet) => isInNetwork(address, subnet)))
}
