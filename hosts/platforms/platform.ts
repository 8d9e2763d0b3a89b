import type { z } from 'zod'
import type { Architecture } from '../../images/architecture.ts'
import type { LockedPackage } from '../../images/lock.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'

/** The fields that every host has. The board decides the platform. */
export interface AnyHost {
  readonly name: string
  readonly board: string
}

/** An input that has to be locked, with the source that resolves it. Each new source adds a member to this union. */
export type SourceRequest = { readonly source: 'debian' } & ArchitectureSet

/** Everything that a build knows about an image besides the host, before it runs anything. */
export interface ImageContext {
  readonly builder: Architecture
  /** Name of a layer's step -> its program. */
  readonly steps: Readonly<Record<string, string>>
  /** Path below `overlays/device` -> script, or source of a program that is compiled for the host. */
  readonly deviceFiles: Readonly<Record<string, string>>
  /** Public keys that may log in, in addition to those of the host file. */
  readonly sshKeys: readonly string[]
  /** Public keys that may sign updates of the host, in addition to those of the host file. */
  readonly signingKeys: readonly string[]
  /** The locked packages of a set. */
  readonly locked: (set: ArchitectureSet) => readonly LockedPackage[]
  /** The lock's time, in seconds since 1970. */
  readonly time: number
}

/**
 * A way to describe a machine and its image. `Rendered` is the host with everything that the platform derives from it: it
 * is made once for each plan, so that the checks and the image work with the same values.
 */
export interface Platform<Schema extends z.ZodType<AnyHost> = z.ZodType<AnyHost>, Rendered = unknown, Image = unknown> {
  /** The builder's folder of the same name assembles the images: `builder/platforms/NAME`. */
  readonly name: string
  readonly boards: readonly string[]
  /** Paths below `overlays/device` that its images are made from. */
  readonly deviceSources: readonly string[]
  /** Parses a host file, and fills in the defaults. It refuses unknown keys. */
  readonly schema: Schema
  readonly render: (host: z.output<Schema>) => Rendered
  /** Throws a UserError for a host that cannot work. */
  readonly check: (rendered: Rendered) => void
  /** The inputs that a builder of an architecture has to lock. */
  readonly inputs: (rendered: Rendered, builder: Architecture) => readonly SourceRequest[]
  readonly image: (rendered: Rendered, context: ImageContext) => Image
}

/** Keeps the types of a platform. */
export function platform<Schema extends z.ZodType<AnyHost>, Rendered, Image>(
  given: Platform<Schema, Rendered, Image>,
): Platform<Schema, Rendered, Image> {
  return given
}

/** The plan of a host for the builder, which knows neither host files nor overlays. */
export interface Plan<Host, Image> {
  /** The builder's platform of this name assembles the image. */
  readonly platform: string
  readonly name: string
  readonly host: Host
  readonly deviceSources: readonly string[]
  /** The Debian package sets to lock. */
  readonly sets: (builder: Architecture) => readonly ArchitectureSet[]
  readonly image: (context: ImageContext) => Image
}

/** Renders and checks a host. Throws a UserError for a host that cannot work. */
export function planWith<Schema extends z.ZodType<AnyHost>, Rendered, Image>(
  platform: Platform<Schema, Rendered, Image>,
  host: z.output<Schema>,
): Plan<z.output<Schema>, Image> {
  const rendered = platform.render(host)
  platform.check(rendered)
  return {
    platform: platform.name,
    name: host.name,
    host,
    deviceSources: platform.deviceSources,
    sets: (builder) => platform.inputs(rendered, builder).map(({ set, architecture }) => ({ set, architecture })),
    image: (context) => platform.image(rendered, context),
  }
}
