import type { Derivation, Input } from '../../derivation.ts'
import type { FileTree } from '../../tree.ts'
import { json, type LayerContext, layerSettings, stepDerivation } from '../layer-recipe.ts'
import { PATHS_FILE } from '../paths-file.ts'
import { requireNoPrivateKeys } from '../private-files.ts'
import { storedTree } from '../stored-tree.ts'

export interface HostParts {
  /** The files that overlays describe for one host. */
  readonly tree: FileTree
  /** Compiled programs by their path on the host. */
  readonly programs: Readonly<Record<string, Input>>
  /** The list of the files of the `base` layer, which the tree refers to: `PATHS_FILE` of its output. */
  readonly basePaths: Input
}

/** The `host` layer: everything that differs between two hosts. */
export function hostLayer(context: LayerContext, { tree, programs, basePaths }: HostParts): Derivation {
  requireNoPrivateKeys('host', tree)
  const programInputs = Object.entries(programs).map(([path, input]): [string, Input] => [`programs${path}`, input])
  return stepDerivation(context, {
    name: 'host',
    step: 'host',
    inputs: {
      'tree.json': json(storedTree(tree)),
      ...Object.fromEntries(programInputs),
      [`base/${PATHS_FILE}`]: basePaths,
      ...layerSettings(),
    },
  })
}
