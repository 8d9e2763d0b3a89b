import type { Port } from '../../overlays/offer.ts'

/** What a host has, and what its services and its system may use of it. Sizes are in bytes. */
export interface HostBudget {
  readonly memory: { readonly total: number; readonly services: number; readonly reserve: number }
  /** Processor time, in cores. The limits of the services may add up to more than the host has. */
  readonly cores: { readonly total: number; readonly services: number }
  /** `data` is the size of the data volume. */
  readonly disk: { readonly total: number; readonly slot: number; readonly data: number }
  /** The ports that are open to the lab, by number. */
  readonly ports: readonly Pick<Port, 'number' | 'protocol'>[]
}
