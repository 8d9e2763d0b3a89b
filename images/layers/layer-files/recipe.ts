import type { Derivation } from '../../derivation.ts'
import type { Digest } from '../../digest.ts'
import { type LayerContext, stepDerivation } from '../layer-recipe.ts'

/** One path of a layer. It has no times, because all files of a layer have the same time. */
export interface LayerFile {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Size of a file in bytes. */
  readonly size?: number
  readonly sha256?: string
  /** Target of a symbolic link. */
  readonly target?: string
}

/** The output file: one line of JSON per path. */
export const FILES = 'files.jsonl'

/** Lists the files of a layer in the store. `name` is only for progress messages. */
export function layerFiles(context: Omit<LayerContext, 'target'>, name: string, layer: Digest): Derivation {
  return stepDerivation(context, {
    name: `files of ${name}`,
    step: 'layer-files',
    inputs: { 'layer.erofs': { object: layer } },
  })
}
