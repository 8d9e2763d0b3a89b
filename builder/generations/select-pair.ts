import { join, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { generationIn, generationNumbered, parseNumber, requireKept } from './find.ts'
import { generationsOf, isKept, type KeptGeneration } from './record.ts'

export interface PairRequest {
  readonly project: string
  readonly host: string
  /** The generation numbers that the user typed: none, the older one, or both. */
  readonly numbers: readonly string[]
  /** An output directory of another checkout, to compare with `out/HOST`. */
  readonly against?: string | undefined
}

export interface GenerationPair {
  readonly from: KeptGeneration
  readonly to: KeptGeneration
}

/**
 * The two generations to compare; the default is the newest one and the one before. `root` is the store's directory.
 */
export function selectPair(root: string, { host, numbers, against, project }: PairRequest): GenerationPair {
  if (against !== undefined) {
    if (numbers.length > 0)
      throw new UserError('usage', "cannot combine '--against' with generation numbers", {
        hint: "use either '--against' or generation numbers",
      })
    const [from, to] = [resolve(against), join(project, 'out', host)] as const
    return { from: generationIn(root, host, from), to: generationIn(root, host, to) }
  }
  if (numbers.length > 2)
    throw new UserError('usage', `cannot compare ${numbers.length} generations: wanted at most 2`, {
      hint: `npm run diff ${host} ${numbers.slice(0, 2).join(' ')}`,
    })
  const [older, newer] = numbers.map((each) =>
    requireKept(host, generationNumbered(root, host, parseNumber(each, host))),
  )
  const kept = generationsOf(root, host).filter(isKept)
  const to = newer ?? kept.at(-1)
  const from = older ?? kept.at(-2)
  if (from !== undefined && to !== undefined) return { from, to }
  throw new UserError('generation', `cannot compare generations of ${host}: the store has ${kept.length}, wanted 2`, {
    hint: `change the host file and build again: npm run build:image ${host}`,
  })
}
