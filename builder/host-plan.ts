import type { Architecture } from '../images/architecture.ts'
import type { Derivation, Input } from '../images/derivation.ts'
import type { Layer } from '../images/image.ts'
import type { LockedPackage } from '../images/lock.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import type { Assets } from './assets.ts'

/**
 * All that the builder knows of a host. It imports neither host files nor overlays: the host side of a platform makes
 * the plan, and the builder's side of the same platform (`platforms/NAME`) assembles the image.
 */
export interface HostPlan {
  /** The host's name, which is also the name of its output directory and of its generations. */
  readonly name: string
  /** The platform that assembles the image, as `platforms/registry.ts` names it. */
  readonly platform: string
  /** Paths below `overlays/device` that the image is made from. */
  readonly deviceSources: readonly string[]
  /** Package sets that the lock must have before the host can be built on a builder of this architecture. */
  readonly sets: (builder: Architecture) => readonly ArchitectureSet[]
  /** The image as derivations; nothing is run. */
  readonly image: (context: PlanContext) => PlannedImage
}

/** What a build gives a plan: facts of this builder, of its lock and of the owner's keys. */
export interface PlanContext extends Assets {
  /** The architecture of the machine that runs the derivations. */
  readonly builder: Architecture
  /** The owner's public keys that may log in. */
  readonly sshKeys: readonly string[]
  /** The owner's public keys that may sign the next update. */
  readonly signingKeys: readonly string[]
  /** The packages that the lock has for a set; throws when it has none. */
  readonly locked: (set: ArchitectureSet) => readonly LockedPackage[]
  /** The lock's time in seconds since 1970. */
  readonly time: number
}

/** The fields of an image that every platform has. Only the platform's own `assemble` reads further fields. */
export interface PlannedImage {
  /** Bytes that the host's disk reserves for one generation. */
  readonly slotSize: number
  /** EROFS layers in the order of the slot; empty on platforms that have none. */
  readonly layers: readonly (Omit<Layer, 'name'> & { readonly name: string })[]
  /** Other files that the image is assembled from, in their order: name -> where the bytes come from. */
  readonly bootFiles: Readonly<Record<string, Input>>
  /** Makes the SBOM without its first part, which names the image. */
  readonly sbom: Derivation
}
