import { join, resolve } from 'node:path'
import { type CliContext, openBuildContext } from '../../builder/context.ts'
import { compare } from '../../builder/generations/compare.ts'
import { generationIn, generationNumbered, parseNumber, requireKept } from '../../builder/generations/find.ts'
import { generationsOf, isKept, type KeptGeneration } from '../../builder/generations/record.ts'
import { UserError } from '../../errors.ts'
import { differenceText } from './difference-text.ts'

export interface DiffCommand extends CliContext {
  readonly host: string
  /** Numbers as they were typed: none, the older one, or both. */
  readonly numbers: readonly string[]
  /** A directory that another build left: what lies there is compared with what lies in `out/HOST`. */
  readonly against?: string | undefined
  readonly format: 'text' | 'json' | 'markdown'
  readonly files: 'listed' | 'left out'
}

/** What two generations of a host differ in: the newest one and the one before, unless told otherwise. */
export async function diffCommand(command: DiffCommand): Promise<string> {
  const { host, format, files } = command
  const context = await openBuildContext(command)
  const { from, to } = pairOf(context.store.root, command)
  const difference = await compare(context, { from, to, files })
  if (format === 'json') return JSON.stringify(difference, null, 2)
  const text = differenceText(host, difference)
  return format === 'text' ? text : fenced(text)
}

/** A comment's first line, and the rest as it is. */
function fenced(text: string): string {
  const [head = '', ...rest] = text.split('\n')
  return [`**${head}**`, '', '```diff', ...rest.filter((line, at) => at > 0 || line !== ''), '```'].join('\n')
}

function pairOf(root: string, { host, numbers, against, project }: DiffCommand) {
  if (against !== undefined) {
    if (numbers.length > 0)
      throw new UserError('usage', "'--against' and numbers of generations exclude each other", {
        hint: 'give one of them',
      })
    const [from, to] = [resolve(project, against), join(project, 'out', host)] as const
    return { from: generationIn(root, host, from), to: generationIn(root, host, to) }
  }
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
