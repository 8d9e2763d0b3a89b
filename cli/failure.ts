import { UserError } from '../errors.ts'

export interface Failure {
  readonly text: string
  readonly exitCode: number
}

/**
 * The text and the exit status for an error. The text is the message and hint of a UserError, or the stack of an
 * internal error.
 */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UserError) return { text: inLines(error.message, error.hint), exitCode: 1 }
  if (codeOf(error) === 'ENOSPC') {
    const hint = 'free disk space, or keep the store on another disk: HANGAR_STORE=DIRECTORY'
    return { text: inLines(`the disk is full: ${messageOf(error)}`, hint), exitCode: 1 }
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const platform = `Node ${process.versions.node}, ${process.platform} ${process.arch}`
  const hint = `this is a bug in hangar: report it with the lines above, the command line and '${platform}'`
  return { text: `internal error: ${stack}${causes(error)}\nhint: ${hint}`, exitCode: 70 }
}

function inLines(message: string, hint: string | undefined): string {
  return hint === undefined ? `error: ${message}` : `error: ${message}\nhint: ${hint}`
}

function causes(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? '' : `\ncaused by: ${messageOf(cause)}${causes(cause)}`
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'string') return code
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
