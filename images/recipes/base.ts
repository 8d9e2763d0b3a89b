import { UserError } from '../../errors.ts'
import type { Derivation } from '../derivation.ts'
import type { LockedPackage } from '../lock.ts'
import { debs, type Kitchen, layerSettings, stepDerivation } from './recipe.ts'

export interface RootPackages {
  /** Of the builder's architecture: these are configured. */
  readonly native: readonly LockedPackage[]
  /** The same packages of the target's architecture: these are unpacked. */
  readonly target: readonly LockedPackage[]
}

/** passwd, group, shadow and gshadow: name -> text. */
export type Accounts = Readonly<Record<'passwd' | 'group' | 'shadow' | 'gshadow', string>>

/** The `base` layer: a configured root of the target's architecture, made without emulation. */
export function baseLayer(kitchen: Kitchen, packages: RootPackages, accounts: Accounts): Derivation {
  const changes = rootChanges(kitchen, packages, accounts)
  return stepDerivation(kitchen, {
    name: 'base',
    step: 'base-layer',
    inputs: { ...debs(packages.target), ...changesInput(changes), ...layerSettings() },
  })
}

/** What maintainer scripts change, found by running them on the builder's own architecture. */
export function rootChanges(kitchen: Kitchen, packages: RootPackages, accounts: Accounts): Derivation {
  requireSamePackages(packages)
  return stepDerivation(kitchen, {
    name: 'root-changes',
    step: 'root-changes',
    args: [kitchen.builder, kitchen.target],
    inputs: {
      ...debs(packages.native),
      ...Object.fromEntries(Object.entries(accounts).map(([name, text]) => [`accounts/${name}`, { bytes: text }])),
    },
    // Maintainer scripts look at /proc and /sys, and give a different root where those cannot be mounted.
    privilege: 'all',
  })
}

export function changesInput(changes: Derivation) {
  const files = ['changes.tar', 'deleted.json', 'retouched.json', 'retouched.xattrs']
  return Object.fromEntries(files.map((file) => [`changes/${file}`, { from: changes, file }]))
}

/** Scripts of a package that only one side has would be missing or too many; a rebuild (`+b1`) is the same source. */
function requireSamePackages({ native, target }: RootPackages): void {
  const only = (these: readonly LockedPackage[], those: readonly LockedPackage[]) => {
    const known = new Set(those.map(sourceName))
    return these.filter((item) => !known.has(sourceName(item))).map((item) => `${item.package} ${item.version} (${item.architecture})`)
  }
  const different = [...only(native, target), ...only(target, native)].sort()
  if (different.length === 0) return
  throw new UserError('carry', `a root for another architecture needs the same packages on both, different are: ${different.join(', ')}`, {
    hint: 'bring both to the same versions: npm run lock -- --update; a package that one architecture lacks cannot be in the base set',
  })
}

function sourceName(item: LockedPackage): string {
  return `${item.package} ${item.version.replace(/\+b\d+$/, '')}`
}
