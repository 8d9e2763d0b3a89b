import type { Derivation, Toolchain } from '../../images/derivation.ts'
import { type Accounts, accountFiles, foreignRoot, type RootPackages } from '../../images/layers/base/recipe.ts'
import { debs, type LayerContext, stepDerivation } from '../../images/layers/layer-recipe.ts'
import type { LockedPackage } from '../../images/lock.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { TOOLCHAIN } from '../../images/sets.ts'
import { compileSteps } from '../helpers/compile.ts'

/** The lock file of `ORACLE`, below the project's directory. */
export const ORACLE_LOCK = 'test/oracle/debian.lock.json'

/** The programs that build the reference root with mmdebstrap. No image contains anything of them. */
export const ORACLE: PackageSet = {
  name: 'oracle',
  request: [...TOOLCHAIN.request, 'mmdebstrap', 'perl', 'qemu-user'],
  essential: 'left-out',
  // mmdebstrap is Perl. It needs Python only for a format that this recipe does not use.
  assumed: TOOLCHAIN.assumed.filter((name) => name !== 'perl' && name !== 'perl-base'),
}

/** Compiles the two steps below: name -> program. */
export function oracleSteps(project: string): Promise<Record<string, string>> {
  return compileSteps(project, {
    'emulated-root': 'test/oracle/emulated-root/step.ts',
    'unpruned-root': 'test/oracle/unpruned-root/step.ts',
  })
}

/** What a step writes to `/out`: `listing.jsonl`, or an empty file `made` for a benchmark that only measures time. */
export type RootOutput = 'listing' | 'nothing'

/** The target's packages configured by mmdebstrap, with their maintainer scripts under emulation. */
export function emulatedRoot(
  context: LayerContext,
  toolchain: Toolchain,
  packages: readonly LockedPackage[],
  accounts: Accounts,
  output: RootOutput = 'listing',
): Derivation {
  return stepDerivation(
    { ...context, toolchain },
    {
      name: 'emulated-root',
      step: 'emulated-root',
      args: [context.builder, context.target, output],
      inputs: { ...debs(packages), ...accountFiles(accounts) },
      // mmdebstrap mounts /proc and /sys, and the step registers the emulator with the kernel.
      privilege: 'all',
    },
  )
}

/** The root of the `base` layer before pruning. */
export function unprunedRoot(
  context: LayerContext,
  packages: RootPackages,
  accounts: Accounts,
  output: RootOutput = 'listing',
): Derivation {
  return foreignRoot(context, packages, accounts, {
    name: 'unpruned-root',
    step: 'unpruned-root',
    args: [output],
    inputs: {},
  })
}
