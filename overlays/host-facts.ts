import type { Board } from '../images/board.ts'
import type { HostName } from '../images/names.ts'

/** A Debian container host: its host file, parsed, with all defaults applied. */
export interface Host {
  readonly name: HostName
  readonly board: Board['name']
  /** Bytes. */
  readonly memory: number
  /** Bytes. Disks are sold in powers of ten: 64 GB is 64,000,000,000 bytes. */
  readonly disk: number
  readonly slotSize: number
  readonly number: number
  readonly timezone: string
  readonly network: {
    /** An IPv4 address: `10.0.10.11`. */
    readonly address: string
    /** The prefix length of the host's network: 24. */
    readonly prefix: number
    readonly gateway: string
    readonly dns: readonly string[]
    readonly domain: string
    /** `[USER@]HOST[:PORT]` of the jump host through which hangar reaches the host; `none`: directly. */
    readonly jump?: string | undefined
  }
  readonly ssh: { readonly keys: readonly string[] }
  readonly updates: { readonly signingKeys: readonly string[] }
  readonly console: { readonly shell: 'none' | 'root' }
  readonly services: readonly HostService[]
}

export interface HostService {
  readonly name: string
  /** By container. A single container has the service's name. */
  readonly limits: Readonly<Record<string, Limits>>
  /** As the service's own schema parsed them. */
  readonly options: Readonly<Record<string, unknown>>
}

/** The most memory and processor time that a container may use. */
export interface Limits {
  /** Bytes. */
  readonly memory: number
  /** Cores; 0.5 is half of one core. */
  readonly cpus: number
}
