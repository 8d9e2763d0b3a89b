import type { Syntax } from './syntax.ts'

/** Whether npm started this program, and so parsed the command line first. */
export function isUnderNpm(env: NodeJS.ProcessEnv): boolean {
  return env.npm_lifecycle_event !== undefined
}

/** The command line for a command with these words and flags, started in the same way as this process. */
export function typed(
  env: NodeJS.ProcessEnv,
  { path: command }: Syntax,
  words: readonly string[],
  flags: readonly string[],
): string {
  const event = env.npm_lifecycle_event
  if (event === 'npx') return ['npx hangar', ...command, ...words, ...flags].join(' ')
  // Other scripts that start hangar, such as `npm test`, do not pass flags on.
  if (event === undefined || !env.npm_lifecycle_script?.includes('hangar')) {
    return ['hangar', ...command, ...words, ...flags].join(' ')
  }
  const path = event === 'hangar' ? command : []
  return ['npm run', event, ...path, ...words, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ')
}
