import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAssets } from '../../builder/assets.ts'
import { localRunner } from '../../builder/runners/local.ts'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { nativeBlocks } from '../../images/layers/blocks/recipe.ts'
import type { NativeKit } from '../../images/layers/cross-compile.ts'
import type { LayerContext } from '../../images/layers/layer-recipe.ts'
import { trybootModule } from '../../images/layers/tryboot-module/recipe.ts'
import { type LockedPackage, lockedPackages } from '../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../images/package-set.ts'
import { cross, KERNEL, NATIVE } from '../../images/sets.ts'
import { deviceSources } from '../../overlays/device/manifest.ts'
import { listReporter } from './reporter.ts'
import { PROJECT, storeWithToolchain, type WithToolchain } from './toolchain.ts'

/** What compiles the programs for hosts, as for every image. */
export async function nativeKit(
  given: WithToolchain,
): Promise<{ readonly context: LayerContext; readonly kit: NativeKit }> {
  const { toolchain } = given
  const lock = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
  const locked = (wanted: ArchitectureSet): readonly LockedPackage[] => {
    const packages = lockedPackages(lock, wanted)
    if (packages === undefined) throw new Error(`the lock holds no '${setKey(wanted)}': npm run lock`)
    return packages
  }
  const { deviceFiles: sources, steps } = readAssets(PROJECT, deviceSources())
  const builder = toolchain.architecture
  return {
    context: { builder, target: 'arm64', toolchain, steps },
    kit: {
      cross: locked({ set: cross(builder), architecture: builder }),
      target: locked({ set: NATIVE, architecture: 'arm64' }),
      kernel: locked({ set: KERNEL, architecture: 'arm64' }),
      sources,
    },
  }
}

/** The bytes of `blocks` and of the module, compiled or from the store. */
export async function builtNative(): Promise<{ readonly blocks: Buffer; readonly tryboot: Buffer }> {
  const given = await storeWithToolchain()
  const { context, kit } = await nativeKit(given)
  const made = { blocks: nativeBlocks(context, kit), tryboot: trybootModule(context, kit) }
  const outputs = await localRunner(given).realise(Object.values(made), listReporter())
  const read = (from: Derivation, file: string) => {
    const found = outputs.get(derivationDigest(from))?.[file]
    if (found === undefined) throw new Error(`derivation '${from.name}' has no output '${file}'`)
    return readFileSync(given.store.path(found.digest))
  }
  return { blocks: read(made.blocks, 'blocks'), tryboot: read(made.tryboot, 'hangar_tryboot.ko') }
}
