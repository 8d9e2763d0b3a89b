import type { Derivation } from '../../derivation.ts'
import type { Digest } from '../../digest.ts'
import { type LayerContext, stepDerivation } from '../layer-recipe.ts'

/** One path of a layer; times, which every layer sets to one, are left out. */
export interface LayerFile {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes and digest of a file. */
  readonly size?: number
  readonly sha256?: string
  /** Of a symbolic link. */
  readonly target?: string
}

/** What the listing is called in its derivation's output: a line of JSON for each path. */
export const FILES = 'files.jsonl'

/** Lists the files of a layer that lies in the store; its name is for whoever looks on. */
export function layerFiles(context: Omit<LayerContext, 'target'>, name: string, layer: Digest): Derivation {
  return stepDerivation(context, {
    name: `files of ${name}`,
    step: 'layer-files',
    inputs: { 'layer.erofs': { object: layer } },
  })
}
