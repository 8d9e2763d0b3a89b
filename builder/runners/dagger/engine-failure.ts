import { UserError } from '../../../errors.ts'

/** A command in an engine failed. */
export class ExecFailed extends Error {
  readonly command: readonly string[]
  readonly exitCode: number
  /** The output of the command; the engine cuts it to the last 100 KiB. */
  readonly output: string

  constructor(command: readonly string[], exitCode: number, output: string, options: ErrorOptions) {
    super(`a command in the engine failed with status ${exitCode}: ${output}`, options)
    this.name = 'ExecFailed'
    this.command = command
    this.exitCode = exitCode
    this.output = output
  }
}

/** Sends a query to an engine, and converts errors of the SDK into errors of hangar. */
export async function query<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw translated(error)
  }
}

/** The code of the SDK's ExecError (common/errors/errors-codes.js). */
const EXEC_ERROR = 'D109'

function translated(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === EXEC_ERROR) {
    const { cmd, exitCode, stdout, stderr } = error as unknown as Record<
      'cmd' | 'exitCode' | 'stdout' | 'stderr',
      unknown
    >
    const output = [stdout, stderr].filter(Boolean).join('\n')
    return new ExecFailed(Array.isArray(cmd) ? cmd.map(String) : [], Number(exitCode), output, { cause: error })
  }
  return engineFailed(`the Dagger engine failed: ${innermost(error)}`, error)
}

/** The end of every hint: how to build without an engine. */
export const WITHOUT_ENGINE = 'build without it: npm run build:image HOST -- --runner local'

export function engineFailed(message: string, cause: unknown): UserError {
  return new UserError('engine', message, {
    hint: `run the same command again: it continues where it stopped; or ${WITHOUT_ENGINE}`,
    cause,
  })
}

const NO_ANSWER = 'no answer'

/** The error for a named engine that did not answer within this time, in milliseconds. */
export function noAnswer(host: string, timeout: number): Error {
  return new Error(`${NO_ANSWER} from '${host}' within ${timeout / 1000} s`)
}

/** The error for a failed connection; `said` is the output of the SDK and its CLI. */
export function unreachable(error: unknown, log: string, said: string): UserError {
  if (error instanceof UserError) return error
  const reason = isSilent(error) ? 'its CLI ended without output' : innermost(error)
  if (/failed to download dagger cli/.test(allOf(error))) {
    return new UserError('engine', `cannot download Dagger's CLI: ${reason}`, {
      hint: `set _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger, or ${WITHOUT_ENGINE}`,
      cause: error,
    })
  }
  const last = isLate(error) ? reason : said.split('\n').filter(isAnswer).at(-1)?.replace(PROMPT, '')
  return new UserError('engine', `cannot reach the Dagger engine: ${last || reason}`, {
    hint: `complete log: ${log}; or ${WITHOUT_ENGINE}`,
    cause: error,
  })
}

/** The text that the SDK prints before the output of its CLI. */
const PROMPT = /^(Creating new Engine session|Establishing connection to Engine)\.\.\. (OK!)?/

function isAnswer(line: string): boolean {
  return line.replace(PROMPT, '').trim() !== '' && line !== 'OK!'
}

/** The first line of the innermost error, because the SDK wraps errors in less specific errors. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Skips the cause of a network error, which is the complete request and answer.
  if (error.cause instanceof Error && !('response' in error.cause)) return innermost(error.cause)
  return error.message.split('\n')[0] ?? ''
}

function isLate(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(NO_ANSWER)
}

/** Whether an error is the TypeError that the SDK throws when its CLI prints no port. */
function isSilent(error: unknown): boolean {
  return error instanceof Error && (error instanceof TypeError || isSilent(error.cause))
}

function allOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${allOf(error.cause)}` : ''
}
