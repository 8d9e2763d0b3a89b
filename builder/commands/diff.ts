import { UserError } from '../../errors.ts'
import { compare } from '../generations/compare.ts'
import { differenceText } from '../generations/difference-text.ts'
import { parseNumber } from '../generations/numbers.ts'
import { generationNumbered, generationsOf, isKept, type KeptGeneration, requireKept } from '../generations/record.ts'
import { openWorkshop, type Surroundings } from '../workshop.ts'

export interface DiffCommand extends Surroundings {
  readonly host: string
  /** Numbers as they were typed: none, the older one, or both. */
  readonly numbers: readonly string[]
  readonly format: 'text' | 'json'
  readonly files: 'listed' | 'left out'
}

/** What two generations of a host differ in: the newest one and the one before, unless told otherwise. */
export async function diffCommand({ host, numbers, format, files, ...surroundings }: DiffCommand): Promise<string> {
  const workshop = await openWorkshop(surroundings)
  const { from, to } = pairOf(workshop.store.root, host, numbers)
  const difference = await compare(workshop, { from, to, files })
  return format === 'json' ? JSON.stringify(difference, null, 2) : differenceText(host, difference)
}

function pairOf(root: string, host: string, numbers: readonly string[]) {
  if (numbers.length > 2)
    throw new UserError('usage', `${numbers.length} generations at once: wanted two at most`, {
      hint: `npm run diff ${host} ${numbers.slice(0, 2).join(' ')}`,
    })
  const [older, newer] = numbers.map((each) =>
    requireKept(host, generationNumbered(root, host, parseNumber(each, host))),
  )
  const kept = generationsOf(root, host).filter(isKept)
  const to = newer ?? kept.at(-1)
  const from = older ?? kept.at(-2)
  if (from !== undefined && to !== undefined) return { from, to } satisfies Record<string, KeptGeneration>
  throw new UserError(
    'generation',
    `${host} has ${kept.length} generations here that are more than a name: wanted two`,
    {
      hint: `change something and build it: npm run build:image ${host}`,
    },
  )
}
