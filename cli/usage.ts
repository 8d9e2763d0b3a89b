import { UserError } from '../errors.ts'
import { typed, type Verb } from './invocation.ts'

/** A complaint about a command line, as the parser words it: `error: …`, and on a line of its own `(Did you mean …?)`. */
export function usageError(complaint: string, env: NodeJS.ProcessEnv, verb: Verb): UserError {
  const [message = '', guess] = complaint.replace(/^error: /, '').split('\n')
  const meant = /^\(Did you mean (.+)\?\)$/.exec(guess ?? '')?.[1]
  return new UserError('usage', message.replace(/\.$/, ''), {
    hint: meant === undefined ? `see ${typed(env, verb, [], ['--help'])}` : `did you mean '${meant}'?`,
  })
}
