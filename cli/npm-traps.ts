import { UserError } from '../errors.ts'
import { type Flag, isUnderNpm, typed, type Verb } from './invocation.ts'

/**
 * npm takes flags that come before `--` for its own: `npm run build:image adama --frozen` starts the program without
 * the flag, and leaves it in the environment as `npm_config_frozen`. What it took of ours is refused, with the command
 * that works. `args` are what reached the program; `all` are the flags of every verb.
 */
export function refuseSwallowedFlags(
  env: NodeJS.ProcessEnv,
  verb: Verb,
  args: readonly string[],
  all: readonly Flag[] = [],
): void {
  if (!isUnderNpm(env)) return
  const swallowed = verb.flags.filter((flag) => !args.includes(flag.long) && isSwallowed(env, flag))
  if (swallowed.length === 0) {
    refuseForeignFlags(env, verb, args, all)
    return
  }
  // `--slot b` leaves the `b` among the words, anywhere: which one it is cannot be told.
  const isMixedUp = swallowed.some((flag) => flag.value !== undefined && npmValue(env, flag) === 'true')
  const given = args.slice(verb.path.length).filter((word) => !word.startsWith('--'))
  const flags = swallowed.map((flag) => withValue(flag, isMixedUp ? undefined : npmValue(env, flag)))
  const names = swallowed.map(({ long }) => `'${long}'`).join(' and ')
  throw new UserError('usage', `npm took ${names} for itself: flags for hangar come after '--'`, {
    hint: typed(env, verb, isMixedUp ? verb.words : given, [...args.filter((word) => word.startsWith('--')), ...flags]),
  })
}

/** Without npm such a flag would be an error too. */
function refuseForeignFlags(env: NodeJS.ProcessEnv, verb: Verb, args: readonly string[], all: readonly Flag[]): void {
  const own = new Set(verb.flags.map(({ long }) => long))
  const foreign = all.find((flag) => !own.has(flag.long) && isSwallowed(env, flag))
  if (foreign === undefined) return
  const words = args.slice(verb.path.length).filter((word) => !word.startsWith('--'))
  const flags = args.filter((word) => word.startsWith('--'))
  throw new UserError('usage', `npm took '${foreign.long}' for itself, and '${verb.path.join(' ')}' has no such flag`, {
    hint: `without it: ${typed(env, verb, words, flags)}`,
  })
}

/**
 * npm completes what begins one of its own options: `--update` becomes `--update-notifier`. The project's `.npmrc` turns
 * that one off, so that turning it on shows.
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
