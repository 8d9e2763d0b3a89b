import type { Architecture } from './architecture.ts'

/**
 * Debian packages that hangar resolves together. The lock finds a set by its name and architecture. If another field of the
 * set has changed, the lock's entry is out of date.
 */
export interface PackageSet {
  /** `toolchain`, `vm`, `base`, `kernel`, `container/mosquitto`, … */
  readonly name: string
  /** Requested packages; the solver adds their dependencies. `name/suite` selects a suite: `linux-image-arm64/trixie-backports`. */
  readonly request: readonly string[]
  /** Whether the set includes Essential packages that are not requested. */
  readonly essential: 'included' | 'left-out'
  /** Dependencies that the solver treats as installed: for example packages that only maintainer scripts need, if none run. */
  readonly assumed: readonly string[]
}

/** A set for one architecture. */
export interface ArchitectureSet {
  readonly source?: 'debian'
  readonly set: PackageSet
  readonly architecture: Architecture
}

/** The key of a set in the lock: `base:arm64`. */
export function setKey(wanted: ArchitectureSet): string {
  return `${wanted.set.name}:${wanted.architecture}`
}
