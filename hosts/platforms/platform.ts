import type { z } from 'zod'
import type { Architecture } from '../../images/architecture.ts'
import type { LockedPackage } from '../../images/lock.ts'
import type { NpmPackage, NpmRequest } from '../../images/npm/npm-package.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import type { Lab, LabFacts, LabHost } from '../../overlays/lab-facts.ts'
import type { HostBudget } from '../schema/budget.ts'

/** The fields that every host has. The board decides the platform. */
export interface AnyHost {
  readonly name: string
  readonly board: string
}

/**
 * An input that the lock must contain. Its field `source` names the source that resolves it; `debian` when absent. Each
 * new source adds a member to this union.
 */
export type SourceRequest = ArchitectureSet | NpmRequest

/** Returns the locked files of a request, as the source of the request describes them. */
export interface Locked {
  (set: ArchitectureSet): readonly LockedPackage[]
  (request: NpmRequest): readonly NpmPackage[]
}

/** The facts about an image that do not come from the host file, and that a build knows before it runs a derivation. */
export interface ImageContext {
  readonly builder: Architecture
  /** The step programs of the layers: step name -> program. */
  readonly steps: Readonly<Record<string, string>>
  /**
   * The files below `overlays/device`: path -> text of a script, or of a program source that hangar compiles for the
   * host.
   */
  readonly deviceFiles: Readonly<Record<string, string>>
  /** Public keys that may log in, in addition to those of the host file. */
  readonly sshKeys: readonly string[]
  /** Public keys that may sign updates of the host, in addition to those of the host file. */
  readonly signingKeys: readonly string[]
  /** Returns the locked packages of a request. */
  readonly locked: Locked
  /** The lock's time, in seconds since 1970. */
  readonly time: number
}

/**
 * The host side of a platform: how to describe a machine and its image. `Host` is a host file joined with the lab file.
 * `Rendered` is the host with all values that the platform derives from it. The platform renders a host once for each plan,
 * so that checks and image use the same values.
 */
export interface Platform<
  Schema extends z.ZodType<AnyHost> = z.ZodType<AnyHost>,
  Host extends AnyHost = z.output<Schema>,
  Rendered = unknown,
  Image = unknown,
> {
  /** The builder's folder of the same name assembles the images: `builder/platforms/NAME`. */
  readonly name: string
  readonly boards: readonly string[]
  /** The paths below `overlays/device` of the files that the images of this platform contain. */
  readonly deviceSources: readonly string[]
  /** Parses a host file, and fills in the defaults. It refuses unknown keys. */
  readonly schema: Schema
  /** Takes the values that a host file leaves out from the lab file. Throws a UserError if the lab has none. */
  readonly inLab: (declared: z.output<Schema>, facts: LabFacts) => Host
  /** The host as the other hosts of the lab see it. */
  readonly labHost: (host: Host) => LabHost
  readonly render: (host: Host, lab: Lab) => Rendered
  /** Throws a UserError for a host that cannot work. */
  readonly check: (rendered: Rendered) => void
  /** What the host has, and what its services may use. */
  readonly budget: (rendered: Rendered) => HostBudget
  /** The inputs that the lock must contain for builders of an architecture. */
  readonly inputs: (rendered: Rendered, builder: Architecture) => readonly SourceRequest[]
  readonly image: (rendered: Rendered, context: ImageContext) => Image
}

/** Returns its argument; lets TypeScript infer the types of a platform. */
export function platform<Schema extends z.ZodType<AnyHost>, Host extends AnyHost, Rendered, Image>(
  given: Platform<Schema, Host, Rendered, Image>,
): Platform<Schema, Host, Rendered, Image> {
  return given
}

/** The plan of a host for the builder, which knows neither host files nor overlays. */
export interface Plan<Host, Image> {
  /** The builder's platform of this name assembles the image. */
  readonly platform: string
  readonly name: string
  readonly host: Host
  readonly deviceSources: readonly string[]
  readonly budget: () => HostBudget
  /** The requests to lock. */
  readonly requests: (builder: Architecture) => readonly SourceRequest[]
  readonly image: (context: ImageContext) => Image
}

/** Renders and checks a host in its lab. Throws a UserError for a host that cannot work. */
export function planWith<Schema extends z.ZodType<AnyHost>, Host extends AnyHost, Rendered, Image>(
  platform: Platform<Schema, Host, Rendered, Image>,
  host: Host,
  lab: Lab,
): Plan<Host, Image> {
  const rendered = platform.render(host, lab)
  platform.check(rendered)
  return {
    platform: platform.name,
    name: host.name,
    host,
    deviceSources: platform.deviceSources,
    budget: () => platform.budget(rendered),
    requests: (builder) => platform.inputs(rendered, builder),
    image: (context) => platform.image(rendered, context),
  }
}
