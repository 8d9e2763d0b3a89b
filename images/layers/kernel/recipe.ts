import { MULTIARCH } from '../../architecture.ts'
import type { Board } from '../../board.ts'
import type { Derivation, Input } from '../../derivation.ts'
import { INITRAMFS_MODULES, MODULE_GROUPS } from '../../kernel/modules.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'

export interface KernelParts {
  readonly packages: readonly LockedPackage[]
  /** What makes our own module. */
  readonly tryboot: Derivation
}

/**
 * The `kernel` layer, and beside it what boots: `kernel` (gzip), `initramfs-modules.tar`, `release`, `modules.alias` and
 * each device tree under the firmware's name.
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

export interface InitramfsScripts {
  readonly init: string
  /** Name -> what it sources from /lib/hangar. */
  readonly lib: Readonly<Record<string, string>>
}

/** `initramfs.img`: the script that finds and opens the slot, and what it needs. */
export function initramfs(
  context: LayerContext,
  kernel: Derivation,
  packages: readonly LockedPackage[],
  { init, lib }: InitramfsScripts,
): Derivation {
  return stepDerivation(context, {
    name: 'initramfs',
    step: 'initramfs',
    args: [MULTIARCH[context.target]],
    inputs: {
      ...debs(packages),
      'modules.tar': { from: kernel, file: 'initramfs-modules.tar' },
      init: { bytes: init },
      ...Object.fromEntries(Object.entries(lib).map(([name, bytes]): [string, Input] => [`lib/${name}`, { bytes }])),
    },
  })
}
