import type { Derivation } from '../../derivation.ts'
import type { LockedPackage } from '../../lock.ts'
import type { FileTree } from '../../tree.ts'
import { debs, json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { requireNoPrivateKeys } from '../private-files.ts'
import { storedTree } from '../stored-tree.ts'

/** A container's layer: a containers-storage with one image. The image holds unpacked packages, with `tree` on top. */
export function containerLayer(
  context: LayerContext,
  service: string,
  packages: readonly LockedPackage[],
  tree: FileTree,
): Derivation {
  requireNoPrivateKeys(`container-${service}`, tree)
  return stepDerivation(context, {
    name: `container-${service}`,
    step: 'container',
    args: [service, context.target],
    inputs: { ...debs(packages), 'tree.json': json(storedTree(tree)), ...layerSettings() },
  })
}
