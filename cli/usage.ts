import { UserError } from '../errors.ts'
import { typed } from './invocation.ts'
import type { Syntax } from './syntax.ts'

/**
 * Converts commander's message for a refused command line: `error: …`, then `(Did you mean …?)` on a line of its own.
 */
export function usageError(problem: string, env: NodeJS.ProcessEnv, syntax: Syntax): UserError {
  const [message = '', guess] = problem.replace(/^error: /, '').split('\n')
  const meant = /^\(Did you mean (.+)\?\)$/.exec(guess ?? '')?.[1]
  return new UserError('usage', message.replace(/\.$/, ''), {
    hint: meant === undefined ? `see ${typed(env, syntax, [], ['--help'])}` : `did you mean '${meant}'?`,
  })
}
