import type { LockedPackage } from '../lock.ts'

/** A layer, or a file of the boot file system, and what it was made of. */
export interface Part {
  readonly kind: 'layer' | 'boot'
  readonly name: string
  readonly packages: readonly LockedPackage[]
  /** Whether files of the packages are in it as they are, or what was made of them. */
  readonly relation: 'CONTAINS' | 'GENERATED_FROM'
  readonly programs: readonly OwnProgram[]
}

/** A program that was compiled of our own sources. */
export interface OwnProgram {
  readonly name: string
  /** As SPDX writes it. */
  readonly licence: string
  /** Packages whose code is linked into it. */
  readonly linked: readonly LockedPackage[]
}
