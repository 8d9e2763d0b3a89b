import type { Architecture } from './architecture.ts'

/**
 * Debian packages that are resolved together. The lock finds a set by its name and architecture, and notices by the
 * rest that what is asked for has changed.
 */
export interface PackageSet {
  /** `toolchain`, `vm`, `base`, `kernel`, `container/mosquitto`, … */
  readonly name: string
  /** What is asked for; dependencies follow. `name/suite` takes a package from that suite (`linux-image-arm64/trixie-backports`). */
  readonly request: readonly string[]
  /** Whether packages marked Essential come along without being asked for. */
  readonly essential: 'included' | 'left-out'
  /** Packages that the solver is told are there already: only maintainer scripts need them, and none run. */
  readonly assumed: readonly string[]
}

/** A set for one architecture: what is resolved, locked and fetched. */
export interface ArchitectureSet {
  readonly source?: 'debian'
  readonly set: PackageSet
  readonly architecture: Architecture
}

/** The key of a set in the lock: `base:arm64`. */
export function setKey(wanted: ArchitectureSet): string {
  return `${wanted.set.name}:${wanted.architecture}`
}
