import type { Derivation } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import { npmInputs, unpackedPackages } from '../../npm/inputs.ts'
import type { NpmPackage } from '../../npm/npm-package.ts'
import type { FileTree } from '../../tree.ts'
import { debs, json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { storedTree } from '../stored-tree.ts'

/** The content of a container's image: unpacked packages, with `tree` on top. */
export interface ContainerContent {
  readonly debian: readonly LockedPackage[]
  readonly npm: readonly NpmPackage[]
  readonly tree: FileTree
}

/** A container's layer: a containers-storage with one image. */
export function containerLayer(
  context: LayerContext,
  service: string,
  { debian, npm, tree }: ContainerContent,
): Derivation {
  return stepDerivation(context, {
    name: `container-${service}`,
    step: 'container',
    args: [service, context.target],
    inputs: {
      ...debs(debian),
      ...npmInputs(npm),
      ...(npm.length === 0 ? {} : { 'npm.json': json(unpackedPackages(npm)) }),
      'tree.json': json(storedTree(tree)),
      ...layerSettings(),
    },
  })
}
