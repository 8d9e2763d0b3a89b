import type { z } from 'zod'
import type { AlertGroup } from './alert.ts'
import type { ContainerDefinition, Protocol } from './container.ts'
import type { Host } from './host-facts.ts'

/** A port on which a service listens. `lab`: open to every machine that reaches the host. `host`: open to the host itself only. */
export interface Port {
  readonly number: number
  readonly protocol: Protocol
  readonly reach: 'lab' | 'host'
  readonly purpose: string
  /** Whether a browser can open the port. */
  readonly web: boolean
}

/** A page of metrics for prometheus. */
export interface ScrapeTarget {
  /** The value of the label `job`. */
  readonly job: string
  readonly port: number
  readonly path: string
}

/** A Grafana dashboard, as Grafana exports it. */
export interface Dashboard {
  readonly name: string
  readonly model: Readonly<Record<string, unknown>>
}

/** How a backup reads a volume. hangar makes no backups yet; `docs/services.md` shows the plan. */
export type Backup =
  | { readonly kind: 'files' }
  /** A command in the container writes a consistent copy to its standard output. */
  | { readonly kind: 'dump'; readonly container: string; readonly command: readonly string[] }
  | { readonly kind: 'none'; readonly reason: string }

/** A directory of a service on the data volume. */
export interface Volume {
  readonly about: string
  /** `slot`: each slot has a copy, so that a failed trial cannot damage the data. `shared`: both slots use one copy. */
  readonly binding: 'slot' | 'shared'
  /** The user that owns the directory, from the id table. */
  readonly owner: string
  readonly backup: Backup
}

/** The facts about one service that other services of the host may use. */
export interface Offer {
  readonly name: string
  readonly ports: readonly Port[]
  readonly metrics: readonly ScrapeTarget[]
  readonly alerts: readonly AlertGroup[]
  readonly dashboards: readonly Dashboard[]
}

export interface ServiceContext {
  readonly host: Host
  /** The host itself (`host`), then each of its services in the order of their names. */
  readonly offers: readonly Offer[]
}

/**
 * The recommended memory: one value for a single container, or one value per container name. A host file has the same
 * form.
 */
export type Memory = string | Readonly<Record<string, string>>

/**
 * A service, as its folder below `overlays/services` exports it. `Options` are the service's own options in a host
 * file.
 */
export interface Service<Options extends z.ZodObject = z.ZodObject, Recommended extends Memory = Memory> {
  readonly name: string
  /** The description of the service, in one line. */
  readonly about: string
  /**
   * The schema of the options. Every option has a default or a clear error. hangar adds the options `memory` and
   * `cpus`.
   */
  readonly options: Options
  /** The recommended memory. A single container has the service's name. */
  readonly memory: Recommended
  readonly ports: (options: z.infer<Options>) => readonly Port[]
  readonly metrics: (options: z.infer<Options>) => readonly ScrapeTarget[]
  readonly alerts: (options: z.infer<Options>) => readonly AlertGroup[]
  readonly dashboards: readonly Dashboard[]
  /** The volumes by name. The main volume has the service's name. */
  readonly volumes: Readonly<Record<string, Volume>>
  /** The containers by name, with the same names as in `memory`. */
  readonly containers: (
    options: z.infer<Options>,
    context: ServiceContext,
  ) => Readonly<Record<string, ContainerDefinition>>
}

type Defaulted = 'metrics' | 'alerts' | 'dashboards' | 'volumes'

/** Completes the fields that a service leaves out, and keeps the types of its options and containers. */
export function service<Options extends z.ZodObject, const Recommended extends Memory>(
  given: Omit<Service<Options, Recommended>, Defaulted> & Partial<Pick<Service<Options, Recommended>, Defaulted>>,
): Service<Options, Recommended> {
  return { metrics: () => [], alerts: () => [], dashboards: [], volumes: {}, ...given }
}

/**
 * The name of a container or volume on the host: `grafana` if it has the service's own name, otherwise
 * `grafana-worker`.
 */
export function qualifiedName(service: string, part: string): string {
  return part === service ? service : `${service}-${part}`
}

/** The names of a service's containers. */
export function containerNames({ name, memory }: Service): string[] {
  return typeof memory === 'string' ? [name] : Object.keys(memory)
}
