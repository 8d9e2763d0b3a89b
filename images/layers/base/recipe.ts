import { UserError } from '../../../errors.ts'
import { withoutRebuild } from '../../debian/version.ts'
import type { Derivation, Input } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, type LayerContext, type LayerRecipe, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { requireSuitable } from '../unsuitable-packages.ts'

export interface RootPackages {
  /** The packages for the builder's architecture. The step runs their maintainer scripts. */
  readonly native: readonly LockedPackage[]
  /** The same packages for the target's architecture. The step only unpacks them. */
  readonly target: readonly LockedPackage[]
}

/** The account files: file name in /etc -> text. */
export type Accounts = Readonly<Record<'passwd' | 'group' | 'shadow' | 'gshadow', string>>

/** The `base` layer: a configured root for the target's architecture, built without emulation. */
export function baseLayer(context: LayerContext, packages: RootPackages, accounts: Accounts): Derivation {
  return foreignRoot(context, packages, accounts, { name: 'base', step: 'base', inputs: layerSettings() })
}

/** A derivation whose step calls `makeForeignRoot`. Throws if the two architectures have different packages. */
export function foreignRoot(
  context: LayerContext,
  packages: RootPackages,
  accounts: Accounts,
  recipe: Omit<LayerRecipe, 'privilege'>,
): Derivation {
  requireSuitable(packages.target)
  requireSamePackages(packages)
  return stepDerivation(context, {
    ...recipe,
    args: [context.builder, context.target, ...(recipe.args ?? [])],
    inputs: {
      ...rootInputs(packages, accounts),
      ...recipe.inputs,
    },
    // The step mounts /proc and /sys: without them, some maintainer scripts produce a different root.
    privilege: 'all',
  })
}

/** The inputs that `makeForeignRoot` reads. */
export function rootInputs({ native, target }: RootPackages, accounts: Accounts): Record<string, Input> {
  return { ...below('native', debs(native)), ...below('target', debs(target)), ...accountFiles(accounts) }
}

export function accountFiles(accounts: Accounts): Record<string, Input> {
  return below('accounts', Object.fromEntries(Object.entries(accounts).map(([name, text]) => [name, { bytes: text }])))
}

/** Inputs below a directory. */
function below(directory: string, inputs: Readonly<Record<string, Input>>): Record<string, Input> {
  return Object.fromEntries(Object.entries(inputs).map(([path, input]) => [`${directory}/${path}`, input]))
}

/** The carried changes are only right if both architectures have the same packages. A binNMU (`+b1`) has the same source. */
function requireSamePackages({ native, target }: RootPackages): void {
  const only = (some: readonly LockedPackage[], others: readonly LockedPackage[]) => {
    const known = new Set(others.map(sourceName))
    return some
      .filter((item) => !known.has(sourceName(item)))
      .map((item) => `${item.package} ${item.version} (${item.architecture})`)
  }
  const different = [...only(native, target), ...only(target, native)].sort()
  if (different.length === 0) return
  throw new UserError(
    'carry',
    `cannot build the base layer: builder and target need the same packages and versions, but these differ: ${different.join(', ')}`,
    {
      hint: 'update the lock: npm run lock -- --update; remove packages from the base set that one architecture does not have',
    },
  )
}

export function sourceName(item: LockedPackage): string {
  return `${item.package} ${withoutRebuild(item.version)}`
}
