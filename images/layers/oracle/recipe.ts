import type { Derivation, Toolchain } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { PackageSet } from '../../package-set.ts'
import { TOOLCHAIN } from '../../sets.ts'
import { type Accounts, accountFiles, foreignRoot, type RootPackages } from '../base/recipe.ts'
import { debs, type LayerContext, stepDerivation } from '../layer-recipe.ts'

/** What builds a root the way everybody does, to compare ours with: nothing of it takes part in an image. */
export const ORACLE: PackageSet = {
  name: 'oracle',
  request: [...TOOLCHAIN.request, 'mmdebstrap', 'perl', 'qemu-user'],
  essential: 'left-out',
  // mmdebstrap itself is Perl: its Python is for a format that is not used here.
  assumed: TOOLCHAIN.assumed.filter((name) => name !== 'perl' && name !== 'perl-base'),
}

/** What is left of a root that was made to be looked at: `listing.jsonl`, or an empty `made` where only time matters. */
export type Leaves = 'listing' | 'nothing'

/** The target's packages configured by mmdebstrap, maintainer scripts under emulation. */
export function emulatedRoot(
  context: LayerContext,
  toolchain: Toolchain,
  packages: readonly LockedPackage[],
  accounts: Accounts,
  leaves: Leaves = 'listing',
): Derivation {
  return stepDerivation(
    { ...context, toolchain },
    {
      name: 'emulated-root',
      step: 'oracle',
      args: [context.builder, context.target, leaves],
      inputs: { ...debs(packages), ...accountFiles(accounts) },
      // mmdebstrap mounts /proc and /sys, and the kernel is told of the emulator.
      privilege: 'all',
    },
  )
}

/** The same root as the `base` layer is made of, before anything is pruned. */
export function unprunedRoot(
  context: LayerContext,
  packages: RootPackages,
  accounts: Accounts,
  leaves: Leaves = 'listing',
): Derivation {
  return foreignRoot(context, packages, accounts, {
    name: 'unpruned-root',
    step: 'unpruned-root',
    args: [leaves],
    inputs: {},
  })
}
