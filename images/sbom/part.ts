import type { Board } from '../board.ts'
import { INITRAMFS_NAME } from '../boot.ts'
import type { LockedPackage } from '../lock.ts'
import type { NpmPackage } from '../npm/npm-package.ts'

/** A layer or a boot file, with its contents. */
export interface Part {
  readonly kind: 'layer' | 'boot'
  readonly name: string
  readonly packages: readonly LockedPackage[]
  /** npm packages, if the part has any. */
  readonly npm?: readonly NpmPackage[]
  /** Whether the part contains files of the packages, or is generated from them. */
  readonly relation: 'CONTAINS' | 'GENERATED_FROM'
  readonly programs: readonly OwnProgram[]
}

/** A program that hangar compiles from its own sources. */
export interface OwnProgram {
  readonly name: string
  /** SPDX licence id. */
  readonly licence: string
  /** Packages whose code is linked statically. */
  readonly linked: readonly LockedPackage[]
}

/** The packages of a container. */
export interface ContainerPackages {
  readonly packages: readonly LockedPackage[]
  readonly npm: readonly NpmPackage[]
}

/** The packages of each set, and our own programs. */
export interface MadeOf {
  readonly base: readonly LockedPackage[]
  readonly kernel: readonly LockedPackage[]
  readonly initramfs: readonly LockedPackage[]
  /** Layer -> packages. */
  readonly containers: Readonly<Record<string, ContainerPackages>>
  readonly programs: Readonly<Record<'blocks' | 'tryboot', OwnProgram>>
}

/** The parts of an image: each layer and each boot file. */
export function imageParts(board: Board, { base, kernel, initramfs, containers, programs }: MadeOf): Part[] {
  const ofKernel = [board.kernel, INITRAMFS_NAME, ...Object.keys(board.deviceTrees)]
  return [
    holding('layer', 'base', base),
    holding('layer', 'kernel', kernel, [programs.tryboot]),
    ...Object.entries(containers).map(([name, { packages, npm }]): Part => {
      const part = holding('layer', name, packages)
      return npm.length === 0 ? part : { ...part, npm }
    }),
    holding('layer', 'host', [], [programs.blocks]),
    holding('boot', INITRAMFS_NAME, initramfs, [programs.tryboot]),
    ...ofKernel.map((name): Part => ({ ...holding('boot', name, kernel), relation: 'GENERATED_FROM' })),
    // hangar writes these texts itself.
    ...['cmdline.txt', 'config.txt'].map((name) => holding('boot', name, [])),
  ]
}

function holding(
  kind: Part['kind'],
  name: string,
  packages: readonly LockedPackage[],
  programs: readonly OwnProgram[] = [],
): Part {
  return { kind, name, packages, relation: 'CONTAINS', programs }
}
