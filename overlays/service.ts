import type { z } from 'zod'
import type { CertificateUsage } from '../images/certificates/need.ts'
import type { AlertGroup } from './alert.ts'
import type { ContainerDefinition } from './container.ts'
import type { Host } from './host-facts.ts'
import type { Lab } from './lab-facts.ts'
import type { MqttTopics } from './mqtt.ts'
import type { Dashboard, Offer, Port, ScrapeTarget } from './offer.ts'

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
  /** The recommended quota: the most disk space that the data may take in one slot, such as '2 GiB'. Default: '1 GiB'. */
  readonly quota?: string
}

/** The volumes of a service by name. */
export type Volumes = Readonly<Record<string, Volume>>

/** A secret of a service. Its name in the lab is the service's name, a hyphen and its own name. */
export interface SecretDefinition {
  readonly about: string
  /** `random`: hangar can generate it, as this number of random bytes in hexadecimal. `given`: only the owner knows it. */
  readonly value: { readonly kind: 'random'; readonly bytes: number } | { readonly kind: 'given' }
}

/** A certificate of the lab's internal CA. Its common name is its subject: `mosquitto`. */
export interface CertificateDefinition {
  readonly about: string
  /** `server`: clients verify the names of the host and of the service. `client`: servers identify it by its subject. */
  readonly usages: readonly [CertificateUsage, ...CertificateUsage[]]
  /**
   * Further names and addresses of a server, in addition to those of the host and of the service: a reverse proxy has
   * the names of all services behind it.
   */
  readonly names?: readonly string[]
}

export interface ServiceContext {
  readonly host: Host
  /** The host itself (`host`), then each of its services in the order of their names. */
  readonly offers: readonly Offer[]
  readonly lab: Lab
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
export interface Service<
  Options extends z.ZodObject = z.ZodObject,
  Recommended extends Memory = Memory,
  Data extends Volumes = Volumes,
> {
  readonly name: string
  /** The description of the service, in one line. */
  readonly about: string
  /**
   * The schema of the options. Every option has a default or a clear error. hangar adds the options `memory`, `cpus`,
   * `tasks`, `cpuWeight` and `disk`.
   */
  readonly options: Options
  /** The recommended memory. A single container has the service's name. */
  readonly memory: Recommended
  readonly ports: (options: z.infer<Options>) => readonly Port[]
  readonly metrics: (options: z.infer<Options>) => readonly ScrapeTarget[]
  readonly alerts: (options: z.infer<Options>) => readonly AlertGroup[]
  readonly dashboards: readonly Dashboard[]
  /** The secrets by name. */
  readonly secrets: (options: z.infer<Options>) => Readonly<Record<string, SecretDefinition>>
  /** The certificates by subject. */
  readonly certificates: (
    options: z.infer<Options>,
    context: ServiceContext,
  ) => Readonly<Record<string, CertificateDefinition>>
  /** The topics of the lab's MQTT broker that the service may use, by the subject of a client certificate of the service. */
  readonly mqtt: (options: z.infer<Options>) => Readonly<Record<string, MqttTopics>>
  /** The volumes by name. The main volume has the service's name. */
  readonly volumes: Data
  /** The containers by name, with the names of `memory` in their order. A container that the options do not need is left out. */
  readonly containers: (
    options: z.infer<Options>,
    context: ServiceContext,
  ) => Readonly<Record<string, ContainerDefinition>>
}

type Defaulted = 'metrics' | 'alerts' | 'dashboards' | 'secrets' | 'certificates' | 'mqtt' | 'volumes'

/** Completes the fields that a service leaves out, and keeps the types of its options and containers. */
export function service<
  Options extends z.ZodObject,
  const Recommended extends Memory,
  const Data extends Volumes = Readonly<Record<never, Volume>>,
>(
  given: Omit<Service<Options, Recommended>, Defaulted> &
    Partial<Pick<Service<Options, Recommended>, Exclude<Defaulted, 'volumes'>>> & { readonly volumes?: Data },
): Service<Options, Recommended, Data> {
  return {
    metrics: () => [],
    alerts: () => [],
    dashboards: [],
    secrets: () => ({}),
    certificates: () => ({}),
    mqtt: () => ({}),
    volumes: {} as Data,
    ...given,
  }
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
