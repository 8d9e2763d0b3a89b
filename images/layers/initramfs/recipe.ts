import { MULTIARCH } from '../../architecture.ts'
import type { Derivation, Input } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, type LayerContext, stepDerivation } from '../layer-recipe.ts'

export interface InitramfsScripts {
  readonly init: string
  /** The scripts that `init` sources: file name in /lib/hangar -> script. */
  readonly lib: Readonly<Record<string, string>>
}

/**
 * The derivation of `initramfs.img`. It contains `init`, which finds and opens the slot, and the programs and modules
 * that `init` needs.
 */
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
