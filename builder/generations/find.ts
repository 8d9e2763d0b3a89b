import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { digestOf } from '../../images/digest.ts'
import { MANIFEST, textOf } from './parts.ts'
import { type Generation, generationsOf, isKept, type KeptGeneration } from './record.ts'

/** Parses a generation's number from the command line. */
export function parseNumber(text: string, host: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UserError('usage', `'${text}' is not the number of a generation`, {
    hint: `list the generations: npm run generations ${host}`,
  })
}

/** The generation with this number; throws 'generation' when the store has no such generation. */
export function generationNumbered(root: string, host: string, number: number): Generation {
  const generations = generationsOf(root, host)
  const found = generations.find((each) => each.number === number)
  if (found !== undefined) return found
  const kept = generations.filter(isKept).map((each) => each.number)
  throw new UserError('generation', `this store has no generation ${number} of ${host}`, {
    hint:
      kept.length === 0
        ? `build the image: npm run build:image ${host}`
        : `this store has: ${kept.slice(-10).join(', ')}`,
  })
}

/** Returns the given generation; throws 'generation' when the store no longer has its files. */
export function requireKept(host: string, generation: Generation): KeptGeneration {
  if (isKept(generation)) return generation
  const { number, revision } = generation
  const name = `generation ${number} of ${host}`
  throw new UserError(
    'generation',
    `the store has only the record of ${name}: gc deleted its files, or an old version of hangar built it`,
    {
      hint:
        revision === null
          ? `list the kept generations: npm run generations ${host}`
          : `build the image again from its git revision: git checkout ${revision.replace('-dirty', '')} && npm ci && npm run build:image ${host}`,
    },
  )
}

/** The generation whose files are in an output directory; throws 'generation' when this store has no such record. */
export function generationIn(root: string, host: string, directory: string): KeptGeneration {
  const file = join(directory, MANIFEST)
  const manifest = existsSync(file) ? digestOf(readFileSync(file)) : undefined
  const known = generationsOf(root, host).filter(isKept)
  const found = known.find(({ parts }) => textOf(parts, MANIFEST)?.digest === manifest)
  if (manifest !== undefined && found !== undefined) return found
  const what = manifest === undefined ? `'${file}' does not exist` : `'${file}' belongs to no generation in this store`
  throw new UserError('generation', `${what}; wanted the output directory of a build of '${host}'`, {
    hint: `build the image with this store: npm run build:image ${host}`,
  })
}
