import type { z } from 'zod'
import type { FileTree } from '../images/tree.ts'
import type { Host } from './host-facts.ts'

/** Where a service listens. `lab`: reachable from the host's network; `host`: from the host itself only. */
export interface Port {
  readonly number: number
  readonly protocol: 'tcp' | 'udp'
  readonly reach: 'lab' | 'host'
  readonly purpose: string
}

/** Has podman ask the service how it is. `command` is run in the container without a shell. */
export interface HealthCheck {
  readonly command: readonly [string, ...string[]]
  /** Seconds from one check to the next, once the first was good. */
  readonly interval: number
}

/** The container's root file system: Debian packages, only unpacked. Other sources come with the services that need them. */
export interface DebianContainer {
  readonly source: 'debian'
  readonly packages: readonly string[]
  /** Directories and files to add to the unpacked packages. */
  readonly tree: FileTree
}

/** What a service is on one host. */
export interface RenderedService {
  /** The user that it runs as, from the id table (`images/ids.ts`). */
  readonly user: string
  readonly command: readonly string[]
  /** Path in the container -> content; read-only, baked into the `host` layer. */
  readonly configuration: Readonly<Record<string, string>>
  /** Path in the container of what must survive; undefined where nothing does. */
  readonly data: string | undefined
  readonly health: HealthCheck
}

/** Where prometheus reads a service's metrics. */
export interface Metrics {
  readonly port: number
  readonly path: string
}

/** Another service of the same host, for one that watches or uses it. */
export interface Neighbour {
  readonly name: string
  readonly metrics: Metrics | undefined
  readonly ports: readonly Port[]
}

/** A service, as its folder below `overlays/services` exports it. `Options` is what a host file may say about it. */
export interface Service<Options extends z.ZodObject = z.ZodObject> {
  readonly name: string
  /** One line for people. */
  readonly about: string
  /** Beside `memory` and `cpus`, which every service has. Every option has a default or a clear error. */
  readonly options: Options
  readonly container: DebianContainer
  /** Listens, answers, measures: what does not depend on the neighbours. */
  readonly ports: (options: z.infer<Options>) => readonly Port[]
  readonly metrics: (options: z.infer<Options>) => Metrics | undefined
  render(options: z.infer<Options>, host: Host, neighbours: readonly Neighbour[]): RenderedService
}

/** Keeps the options' type for `render` while services of all kinds stand in one list. */
export function service<Options extends z.ZodObject>(given: Service<Options>): Service<Options> {
  return given
}
