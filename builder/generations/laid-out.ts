import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { digestOf } from '../../images/digest.ts'
import { MANIFEST, textOf } from './parts.ts'
import { generationsOf, isKept, type KeptGeneration } from './record.ts'

/** The generation whose files lie in a directory such as `out/HOST`; throws where this store does not know it. */
export function generationIn(root: string, host: string, directory: string): KeptGeneration {
  const file = join(directory, MANIFEST)
  const manifest = existsSync(file) ? digestOf(readFileSync(file)) : undefined
  const known = generationsOf(root, host).filter(isKept)
  const found = known.find(({ parts }) => textOf(parts, MANIFEST)?.digest === manifest)
  if (manifest !== undefined && found !== undefined) return found
  const what = manifest === undefined ? `'${file}' is not there` : `'${file}' is of no generation in this store`
  throw new UserError('generation', `${what}: wanted what a build of '${host}' left`, {
    hint: `build it, with this store: npm run build:image ${host}`,
  })
}
