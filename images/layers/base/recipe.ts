import { UserError } from '../../../errors.ts'
import { withoutRebuild } from '../../debian/version.ts'
import type { Derivation, Input } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { debs, type LayerContext, type LayerRecipe, layerSettings, stepDerivation } from '../layer-recipe.ts'

export interface RootPackages {
  /** Of the builder's architecture: these are configured. */
  readonly native: readonly LockedPackage[]
  /** The same packages of the target's architecture: these are unpacked. */
  readonly target: readonly LockedPackage[]
}

/** passwd, group, shadow and gshadow: name -> text. */
export type Accounts = Readonly<Record<'passwd' | 'group' | 'shadow' | 'gshadow', string>>

/** The `base` layer: a configured root of the target's architecture, made without emulation. */
export function baseLayer(context: LayerContext, packages: RootPackages, accounts: Accounts): Derivation {
  return foreignRoot(context, packages, accounts, { name: 'base', step: 'base', inputs: layerSettings() })
}

/** A derivation that makes a configured root of the target's architecture, and what its step makes of it. */
export function foreignRoot(
  context: LayerContext,
  packages: RootPackages,
  accounts: Accounts,
  recipe: Omit<LayerRecipe, 'privilege'>,
): Derivation {
  requireSamePackages(packages)
  return stepDerivation(context, {
    ...recipe,
    args: [context.builder, context.target, ...(recipe.args ?? [])],
    inputs: {
      ...below('native', debs(packages.native)),
      ...below('target', debs(packages.target)),
      ...accountFiles(accounts),
      ...recipe.inputs,
    },
    // Maintainer scripts look at /proc and /sys, and give a different root where those cannot be mounted.
    privilege: 'all',
  })
}

export function accountFiles(accounts: Accounts): Record<string, Input> {
  return below('accounts', Object.fromEntries(Object.entries(accounts).map(([name, text]) => [name, { bytes: text }])))
}

function below(directory: string, inputs: Readonly<Record<string, Input>>): Record<string, Input> {
  return Object.fromEntries(Object.entries(inputs).map(([path, input]) => [`${directory}/${path}`, input]))
}

/** Scripts of a package that only one side has would be missing or too many; a rebuild (`+b1`) is the same source. */
function requireSamePackages({ native, target }: RootPackages): void {
  const only = (these: readonly LockedPackage[], those: readonly LockedPackage[]) => {
    const known = new Set(those.map(sourceName))
    return these
      .filter((item) => !known.has(sourceName(item)))
      .map((item) => `${item.package} ${item.version} (${item.architecture})`)
  }
  const different = [...only(native, target), ...only(target, native)].sort()
  if (different.length === 0) return
  throw new UserError(
    'carry',
    `a root for another architecture needs the same packages on both, different are: ${different.join(', ')}`,
    {
      hint: 'bring both to the same versions: npm run lock -- --update; a package that one architecture lacks cannot be in the base set',
    },
  )
}

function sourceName(item: LockedPackage): string {
  return `${item.package} ${withoutRebuild(item.version)}`
}
