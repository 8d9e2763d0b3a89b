import { MULTIARCH } from '../architecture.ts'
import type { Board } from '../board.ts'
import type { Derivation } from '../derivation.ts'
import { INITRAMFS_MODULES, MODULE_GROUPS } from '../kernel/modules.ts'
import type { LockedPackage } from '../lock.ts'
import { debs, json, type Kitchen, layerSettings, stepDerivation } from './recipe.ts'

/**
 * The `kernel` layer, and beside it what boots: `kernel` (gzip), `initramfs-modules.tar`, `release`, `modules.alias` and
 * each device tree under the firmware's name.
 */
export function kernelLayer(kitchen: Kitchen, board: Board, packages: readonly LockedPackage[]): Derivation {
  return stepDerivation(kitchen, {
    name: 'kernel',
    step: 'kernel-layer',
    inputs: {
      ...debs(packages),
      ...layerSettings(),
      'modules.json': json({
        layer: MODULE_GROUPS.flatMap(({ modules }) => modules),
        initramfs: INITRAMFS_MODULES.flatMap(({ modules }) => modules),
        deviceTrees: board.deviceTrees,
      }),
    },
  })
}

/** `initramfs.img`: the script that finds and opens the slot, and what it needs. */
export function initramfs(
  kitchen: Kitchen,
  kernel: Derivation,
  packages: readonly LockedPackage[],
  init: string,
): Derivation {
  return stepDerivation(kitchen, {
    name: 'initramfs',
    step: 'initramfs',
    args: [MULTIARCH[kitchen.target]],
    inputs: {
      ...debs(packages),
      'modules.tar': { from: kernel, file: 'initramfs-modules.tar' },
      init: { bytes: init },
    },
  })
}
