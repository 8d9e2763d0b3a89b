import type { Architecture } from '../images/architecture.ts'
import type { HostCertificates, IssuedCertificates } from '../images/certificates/need.ts'
import type { Derivation, Input } from '../images/derivation.ts'
import type { Layer } from '../images/image.ts'
import type { LockedPackage } from '../images/lock.ts'
import type { SourceRequest } from '../images/locked-file.ts'
import type { NpmPackage, NpmRequest } from '../images/npm/npm-package.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import type { NeededSecret } from '../images/secrets/needed-secret.ts'
import type { Assets } from './assets.ts'

/**
 * Everything that the builder knows about a host. The builder imports neither host files nor overlays.
 * `hosts/platforms/NAME` makes the plan, and `builder/platforms/NAME` assembles the image.
 */
export interface HostPlan {
  /** The host's name, which is also the name of its output directory and of its generations. */
  readonly name: string
  /** The platform that assembles the image, as `platforms/registry.ts` names it. */
  readonly platform: string
  /** Paths below `overlays/device` that the image is made from. */
  readonly deviceSources: readonly string[]
  /** Requests that the lock must have before the host can be built on a builder of this architecture. */
  readonly requests: (builder: Architecture) => readonly SourceRequest[]
  /** The certificates of the lab's internal CA that the host needs. */
  readonly certificates: HostCertificates
  /** The secrets that the image needs. */
  readonly secrets: readonly NeededSecret[]
  /** Describes the image as derivations, and runs none of them. */
  readonly image: (context: PlanContext) => PlannedImage
}

/** The files of a request, as its source describes them. */
export interface LockedIn {
  (set: ArchitectureSet): readonly LockedPackage[]
  (request: NpmRequest): readonly NpmPackage[]
}

/** Facts that a plan needs from the build: about the builder, the lock, the owner's keys and the certificates. */
export interface PlanContext extends Assets {
  /** The architecture of the machine that runs the derivations. */
  readonly builder: Architecture
  /** The owner's public keys that may log in. */
  readonly sshKeys: readonly string[]
  /** The owner's public keys that may sign the next update. */
  readonly signingKeys: readonly string[]
  /** The ciphertexts of the host's secrets: name -> text of the age file. */
  readonly secrets: Readonly<Record<string, string>>
  /** The packages that the lock has for a request; throws if the lock has no entry for the request. */
  readonly locked: LockedIn
  /** The time of the lock, in seconds since 1970. */
  readonly time: number
  readonly certificates: IssuedCertificates
}

/** The fields of an image that every platform has. Only the platform's own `assemble` reads further fields. */
export interface PlannedImage {
  /** The size of a slot on the host's disk, in bytes. */
  readonly slotSize: number
  /** The EROFS layers, in their order in the slot. Empty on platforms without layers. */
  readonly layers: readonly (Omit<Layer, 'name'> & { readonly name: string })[]
  /** The other files of the image, in their order in the boot file system: file name -> source of its bytes. */
  readonly bootFiles: Readonly<Record<string, Input>>
  /** The derivation that writes the SBOM without its head. The head has the digests of this image. */
  readonly sbom: Derivation
}
