/** A command as its author declared it. */
export interface Verb {
  /** `['store', 'verify']`. */
  readonly path: readonly string[]
  /** Names of the words that follow: `['HOST']`. */
  readonly words: readonly string[]
  readonly flags: readonly Flag[]
}

export interface Flag {
  /** `--keep`, `--no-frozen`. */
  readonly long: string
  /** Name of the value that it takes. */
  readonly value: string | undefined
}

/** Whether npm started this program, and so had the first look at the command line. */
export function isUnderNpm(env: NodeJS.ProcessEnv): boolean {
  return env.npm_lifecycle_event !== undefined
}

/** The command line that a person types to get this verb with these words and flags, the way they began it. */
export function typed(env: NodeJS.ProcessEnv, verb: Verb, words: readonly string[], flags: readonly string[]): string {
  const event = env.npm_lifecycle_event
  if (event === 'npx') return ['npx hangar', ...verb.path, ...words, ...flags].join(' ')
  // Some other script that runs us, `npm test` for one, does not hand our flags on.
  if (event === undefined || !env.npm_lifecycle_script?.includes('hangar')) {
    return ['hangar', ...verb.path, ...words, ...flags].join(' ')
  }
  const path = event === 'hangar' ? verb.path : []
  return ['npm run', event, ...path, ...words, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ')
}
