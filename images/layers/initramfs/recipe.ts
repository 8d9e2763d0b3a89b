import { MULTIARCH } from '../../architecture.ts'
import type { Derivation, Input } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, type LayerContext, stepDerivation } from '../layer-recipe.ts'

export interface InitramfsScripts {
  readonly init: string
  /** File name in /lib/hangar -> script that `init` sources. */
  readonly lib: Readonly<Record<string, string>>
}

/** `initramfs.img`: `init`, which finds and opens the slot, with the programs and modules that it needs. */
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
