import type { Board } from '../images/board.ts'
import type { HostName } from '../images/names.ts'

/** What overlays may know of a host: its file, parsed, with all defaults applied. */
export interface Host {
  readonly name: HostName
  readonly board: Board['name']
  /** Bytes. */
  readonly memory: number
  /** Bytes of the disk as it is sold: 64 GB is 64,000,000,000. */
  readonly disk: number
  readonly slotSize: number
  readonly number: number
  readonly timezone: string
  readonly network: {
    /** `10.0.10.11` and the length of its prefix. */
    readonly address: string
    readonly prefix: number
    readonly gateway: string
    readonly dns: readonly string[]
    readonly domain: string
  }
  readonly ssh: { readonly keys: readonly string[] }
  readonly updates: { readonly signingKeys: readonly string[] }
  readonly console: { readonly shell: 'none' | 'root' }
  readonly services: readonly HostService[]
}

export interface HostService {
  readonly name: string
  /** Bytes. */
  readonly memory: number
  /** Cores; 0.5 is half of one. */
  readonly cpus: number
  /** As the service's own schema parsed them. */
  readonly options: Readonly<Record<string, unknown>>
}
