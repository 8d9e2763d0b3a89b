import type { Board } from '../images/board.ts'
import type { InterfaceAddress, IpAddress } from '../images/ip-address.ts'
import type { JumpHosts } from '../images/jump-hosts.ts'
import type { DomainName, HostName } from '../images/names.ts'
import type { PublicKeyLine } from '../images/signature/public-key.ts'
import type { TimeZone } from '../images/time-zone.ts'

/** A Debian container host: its host file, parsed, with all defaults applied. */
export interface Host {
  readonly name: HostName
  readonly board: Board['name']
  /** The memory in bytes. */
  readonly memory: number
  /** The size of the disk in bytes. Disks are sold in powers of ten: 64 GB is 64,000,000,000 bytes. */
  readonly disk: number
  readonly slotSize: number
  readonly number: number
  readonly timezone: TimeZone
  readonly network: {
    /** IPv4, IPv6 or both. hangar connects to the first one. */
    readonly addresses: readonly [InterfaceAddress, ...InterfaceAddress[]]
    /** At most one of each family, at least one. */
    readonly gateways: readonly IpAddress[]
    readonly dns: readonly IpAddress[]
    readonly domain: DomainName
    /** The jump hosts through which hangar reaches the host; `none`: directly. */
    readonly jump?: JumpHosts | undefined
  }
  readonly ssh: { readonly keys: readonly PublicKeyLine[] }
  readonly updates: { readonly signingKeys: readonly string[] }
  readonly console: { readonly shell: 'none' | 'root' }
  readonly services: readonly HostService[]
}

export interface HostService {
  readonly name: string
  /** The limits by container. A single container has the service's name. */
  readonly limits: Readonly<Record<string, Limits>>
  /** The quotas in bytes by volume. */
  readonly disk: Readonly<Record<string, number>>
  /** The options, as the service's own schema parsed them. */
  readonly options: Readonly<Record<string, unknown>>
}

/** The most memory, processor time and tasks that a container may use, and its share of busy processors. */
export interface Limits {
  /** The memory in bytes. */
  readonly memory: number
  /** The most processor time, in cores: 0.5 is half of one core. */
  readonly cpus: number
  /** The most processes and threads. */
  readonly tasks: number
  /** The share of the processor time while all cores are busy, relative to other containers: 100 is the usual share. */
  readonly cpuWeight: number
}
