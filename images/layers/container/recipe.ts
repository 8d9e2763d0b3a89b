import { UserError } from '../../../errors.ts'
import type { Derivation } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { nearest } from '../../nearest.ts'
import { npmInputs, unpackedPackages } from '../../npm/inputs.ts'
import type { NpmPackage } from '../../npm/npm-package.ts'
import type { FileTree } from '../../tree.ts'
import { type Accounts, rootInputs, sourceName } from '../base/recipe.ts'
import type { ContainerProgram } from '../container-program.ts'
import { json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { requireNoPrivateKeys } from '../private-files.ts'
import { storedTree } from '../stored-tree.ts'
import { requireSuitableScripts } from '../unsuitable-packages.ts'

interface DebianPackages {
  /** The packages in the container, for the target's architecture. */
  readonly target: readonly LockedPackage[]
  /** The same packages for the builder's architecture, and everything that their maintainer scripts need. */
  readonly scripts: readonly LockedPackage[]
}

export interface ContainerImageParts {
  readonly service: string
  readonly packages: DebianPackages
  /** Packages below `/app/node_modules`. None of their install scripts runs. */
  readonly npm: readonly NpmPackage[]
  /** Files and directories on top of the packages. */
  readonly tree: FileTree
  /** Packages whose maintainer scripts do not run. */
  readonly withoutScripts: readonly string[]
  /** The programs that the containers of the image start. The step refuses an image that lacks a part of one. */
  readonly programs: readonly ContainerProgram[]
}

/**
 * A container's layer: a containers-storage with one image. The image holds configured Debian packages, npm packages, and
 * `tree` on top.
 */
export function containerLayer(context: LayerContext, parts: ContainerImageParts, accounts: Accounts): Derivation {
  const { service, packages, npm, tree, withoutScripts, programs } = parts
  requirePackages(service, packages)
  requireKnown(service, packages, withoutScripts)
  requireSuitableScripts(service, packages.target, withoutScripts)
  requireNoPrivateKeys(`container-${service}`, tree)
  return stepDerivation(context, {
    name: `container-${service}`,
    step: 'container',
    args: [context.builder, context.target, service],
    inputs: {
      ...rootInputs({ native: packages.scripts, target: packages.target }, accounts),
      ...npmInputs(npm),
      ...(npm.length === 0 ? {} : { 'npm.json': json(unpackedPackages(npm)) }),
      'tree.json': json(storedTree(tree)),
      'without-scripts.json': json([...withoutScripts].sort()),
      'programs.json': json(programs),
      ...layerSettings(),
    },
    // The step mounts /proc and /sys for maintainer scripts, as the base layer does.
    privilege: 'all',
  })
}

/** The changes of scripts are only right for the same packages. */
function requirePackages(service: string, { target, scripts }: DebianPackages): void {
  const known = new Set(scripts.map(sourceName))
  const missing = target.filter((item) => !known.has(sourceName(item)))
  if (missing.length === 0) return
  const names = missing.map((item) => `${item.package} ${item.version} (${item.architecture})`).sort()
  throw new UserError(
    'carry',
    `cannot build container '${service}': its maintainer scripts run on the builder, which does not have the same version of: ${names.join(', ')}`,
    { hint: 'update the lock: npm run lock -- --update' },
  )
}

function requireKnown(service: string, { scripts }: DebianPackages, withoutScripts: readonly string[]): void {
  const known = scripts.map((item) => item.package)
  const unknown = withoutScripts.filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const meant = nearest(unknown[0] ?? '', known)
  throw new UserError(
    'host',
    `container '${service}' names packages in 'withoutScripts' that it does not have: ${unknown.join(', ')}`,
    { hint: `${meant === undefined ? '' : `did you mean '${meant}'? `}correct the names in overlays/services` },
  )
}
