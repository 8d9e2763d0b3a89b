import { UserError } from '../errors.ts'

/** Whether somebody ended the command, with Ctrl-C or a signal. */
export function isStop(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Where a command leaves what it was at, for whoever ended it: said in place of 'the same command goes on from here'. */
export function stopped(state: string, hint: string, cause: unknown): UserError {
  return new UserError('stopped', state, { hint, cause })
}
