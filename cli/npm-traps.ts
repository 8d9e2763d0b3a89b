import { UserError } from '../errors.ts'
import { isUnderNpm, typed } from './invocation.ts'
import type { Flag, Syntax } from './syntax.ts'

/**
 * Throws if npm took a flag of hangar as its own option. npm parses every flag before `--`: `npm run build:image adama
 * --frozen` sets `npm_config_frozen` and starts the program without the flag. The hint is the correct command line.
 * `args` are the arguments that reached the program; `all` are the flags of all commands.
 */
export function refuseSwallowedFlags(
  env: NodeJS.ProcessEnv,
  syntax: Syntax,
  args: readonly string[],
  all: readonly Flag[] = [],
): void {
  if (!isUnderNpm(env)) return
  const swallowed = syntax.flags.filter((flag) => !args.includes(flag.long) && isSwallowed(env, flag))
  if (swallowed.length === 0) {
    refuseForeignFlags(env, syntax, args, all)
    return
  }
  // Without `--`, npm passes the value of a flag on as a word: hangar cannot tell `b` in `--slot b` from the other
  // words.
  const isMixedUp = swallowed.some((flag) => flag.value !== undefined && npmValue(env, flag) === 'true')
  const given = args.slice(syntax.path.length).filter((word) => !word.startsWith('--'))
  const flags = swallowed.map((flag) => withValue(flag, isMixedUp ? undefined : npmValue(env, flag)))
  const names = swallowed.map(({ long }) => `'${long}'`).join(' and ')
  throw new UserError('usage', `npm took ${names} as its own option: put flags for hangar after '--'`, {
    hint: typed(env, syntax, isMixedUp ? syntax.words : given, [
      ...args.filter((word) => word.startsWith('--')),
      ...flags,
    ]),
  })
}

/** Throws for a flag that only another command has. Without npm, commander would refuse this flag. */
function refuseForeignFlags(
  env: NodeJS.ProcessEnv,
  syntax: Syntax,
  args: readonly string[],
  all: readonly Flag[],
): void {
  const own = new Set(syntax.flags.map(({ long }) => long))
  const foreign = all.find((flag) => !own.has(flag.long) && isSwallowed(env, flag))
  if (foreign === undefined) return
  const words = args.slice(syntax.path.length).filter((word) => !word.startsWith('--'))
  const flags = args.filter((word) => word.startsWith('--'))
  throw new UserError(
    'usage',
    `npm took '${foreign.long}' as its own option, and '${syntax.path.join(' ')}' has no such flag`,
    {
      hint: `leave the flag out: ${typed(env, syntax, words, flags)}`,
    },
  )
}

/**
 * npm expands prefixes of its own options: `--update` becomes `--update-notifier`. The project's `.npmrc` turns
 * `update-notifier` off. If it is on, the user typed `--update`.
 */
const COMPLETED: Readonly<Record<string, string>> = { update: 'update_notifier' }

function npmValue(env: NodeJS.ProcessEnv, { long }: Flag): string | undefined {
  const name = long.replace(/^--(no-)?/, '').replaceAll('-', '_')
  return env[`npm_config_${COMPLETED[name] ?? name}`]
}

function isSwallowed(env: NodeJS.ProcessEnv, flag: Flag): boolean {
  const value = npmValue(env, flag)
  if (value === undefined) return false
  const isOff = value === '' || value === 'false'
  return flag.long.startsWith('--no-') ? isOff : !isOff
}

function withValue({ long, value: name }: Flag, value: string | undefined): string {
  return name === undefined ? long : `${long} ${value ?? name}`
}
