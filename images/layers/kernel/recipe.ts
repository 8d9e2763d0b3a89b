import type { Board } from '../../board.ts'
import type { Derivation } from '../../derivation.ts'
import { INITRAMFS_MODULES, MODULE_GROUPS } from '../../kernel/modules.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'

export interface KernelParts {
  readonly packages: readonly LockedPackage[]
  /** The derivation of the module `hangar_tryboot`. */
  readonly tryboot: Derivation
}

/**
 * The `kernel` layer. Its output also has the boot files: `kernel` (gzip), `initramfs-modules.tar`, `release`,
 * `modules.alias`, and each device tree under the name that the firmware looks for.
 */
export function kernelLayer(context: LayerContext, board: Board, { packages, tryboot }: KernelParts): Derivation {
  return stepDerivation(context, {
    name: 'kernel',
    step: 'kernel',
    inputs: {
      ...debs(packages),
      'updates/hangar_tryboot.ko': { from: tryboot, file: 'hangar_tryboot.ko' },
      ...layerSettings(),
      'modules.json': json({
        layer: MODULE_GROUPS.flatMap(({ modules }) => modules),
        initramfs: INITRAMFS_MODULES.flatMap(({ modules }) => modules),
        deviceTrees: board.deviceTrees,
      }),
    },
  })
}
