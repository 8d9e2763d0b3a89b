import type { Board } from '../images/board.ts'
import type { Ipv4 } from '../images/ipv4.ts'
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
    /** An IPv4 address: `10.0.10.11`. */
    readonly address: string
    /** The prefix length of the host's network: 24. */
    readonly prefix: number
    readonly gateway: Ipv4
    readonly dns: readonly Ipv4[]
    readonly domain: DomainName
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
  /** The options, as the service's own schema parsed them. */
  readonly options: Readonly<Record<string, unknown>>
}

/** The most memory and processor time that a container may use. */
export interface Limits {
  /** The memory in bytes. */
  readonly memory: number
  /** The most processor time, in cores: 0.5 is half of one core. */
  readonly cpus: number
}
