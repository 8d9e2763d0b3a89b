import type { Derivation, Input } from '../../derivation.ts'
import type { FileTree } from '../../tree.ts'
import { json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { requireNoPrivateKeys } from '../private-files.ts'
import { storedTree } from '../stored-tree.ts'

/** The `host` layer: the files that overlays describe for one host, and compiled programs by their path on the host. */
export function hostLayer(
  context: LayerContext,
  tree: FileTree,
  programs: Readonly<Record<string, Input>>,
): Derivation {
  requireNoPrivateKeys('host', tree)
  const programInputs = Object.entries(programs).map(([path, input]): [string, Input] => [`programs${path}`, input])
  return stepDerivation(context, {
    name: 'host',
    step: 'host',
    inputs: { 'tree.json': json(storedTree(tree)), ...Object.fromEntries(programInputs), ...layerSettings() },
  })
}
