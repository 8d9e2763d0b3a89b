import type { Board } from '../board.ts'
import { INITRAMFS_NAME } from '../boot/config-txt.ts'
import type { LockedPackage } from '../lock.ts'
import type { OwnProgram, Part } from './part.ts'

/** The packages of each set, and our own programs. */
export interface MadeOf {
  readonly base: readonly LockedPackage[]
  readonly kernel: readonly LockedPackage[]
  readonly initramfs: readonly LockedPackage[]
  /** Layer -> packages. */
  readonly containers: Readonly<Record<string, readonly LockedPackage[]>>
  readonly programs: Readonly<Record<'blocks' | 'tryboot', OwnProgram>>
}

/** What an image consists of: each layer, and each file that boots it. */
export function imageParts(board: Board, { base, kernel, initramfs, containers, programs }: MadeOf): Part[] {
  const ofKernel = [board.kernel, INITRAMFS_NAME, ...Object.keys(board.deviceTrees)]
  return [
    holding('layer', 'base', base),
    holding('layer', 'kernel', kernel, [programs.tryboot]),
    ...Object.entries(containers).map(([name, packages]) => holding('layer', name, packages)),
    holding('layer', 'host', [], [programs.blocks]),
    holding('boot', INITRAMFS_NAME, initramfs, [programs.tryboot]),
    ...ofKernel.map((name): Part => ({ ...holding('boot', name, kernel), relation: 'GENERATED_FROM' })),
    // Text of ours.
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
