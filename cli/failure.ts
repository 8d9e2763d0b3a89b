import { UserError } from '../errors.ts'
import { type FileProblem, fileProblem, fileProblemText, fileRemedy, isFullCode } from '../lib/file-problem.ts'
import { directoryOf, fullest, type WrittenDirectory } from './directories.ts'

export interface Failure {
  readonly text: string
  readonly exitCode: number
}

/**
 * The text and exit status for an error: message and hint for a user error and for an error of the file system, the stack
 * for an internal error. `directories` are those that hangar writes to.
 */
export function describeFailure(error: unknown, directories: readonly WrittenDirectory[] = []): Failure {
  if (error instanceof UserError) return { text: inLines(error.message, error.hint), exitCode: 1 }
  const problem = fileProblem(error)
  if (problem !== undefined) return { text: fileFailure(problem, directories), exitCode: 1 }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const platform = `Node ${process.versions.node}, ${process.platform} ${process.arch}`
  const hint = `this is a bug in hangar: report it with the lines above, the command line and '${platform}'`
  return { text: `internal error: ${stack}${causes(error)}\nhint: ${hint}`, exitCode: 70 }
}

/** Names the directory, what was tried, and what to do. */
function fileFailure(problem: FileProblem, directories: readonly WrittenDirectory[]): string {
  const text = fileProblemText(problem)
  if (problem.path === undefined && isFullCode(problem.code)) {
    // The system does not name the file, but the disk tells that it is full.
    const names = fullest(directories).map(({ directory }) => ` '${directory}'`)
    const look = names.length === 0 ? '' : `look for the full disk: df -h${names.join('')}; `
    return inLines(text, `${look}free disk space, or keep the store on another disk: HANGAR_STORE=DIRECTORY`)
  }
  const found = problem.path === undefined ? undefined : directoryOf(problem.path, directories)
  if (found === undefined)
    return inLines(text, fileRemedy(problem, { otherwise: 'name a path that you can read and write' }))
  return inLines(`cannot use '${found.directory}' as ${found.role}: ${text}`, fileRemedy(problem, found))
}

function inLines(message: string, hint: string | undefined): string {
  return hint === undefined ? `error: ${message}` : `error: ${message}\nhint: ${hint}`
}

function causes(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? '' : `\ncaused by: ${messageOf(cause)}${causes(cause)}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
