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

/** A named engine did not answer within this time, in milliseconds. */
export class NoAnswer extends Error {
  constructor(host: string, timeout: number) {
    super(`no answer from '${host}' within ${timeout / 1000} s`)
    this.name = 'NoAnswer'
  }
}

/** The error for a failed start of a session; `said` is the output of the CLI. */
export function unreachable(error: unknown, log: string, said: string): UserError {
  if (error instanceof UserError) return asEngineError(error)
  const last = error instanceof NoAnswer ? undefined : lastLine(said)
  const silence = error instanceof NoAnswer ? '' : ' without output'
  return new UserError('engine', `cannot reach the Dagger engine: ${last ?? `${innermost(error)}${silence}`}`, {
    hint: `complete log: ${log}; or ${WITHOUT_ENGINE}`,
    cause: error,
  })
}

/** The same error as an error of the engine, so that `auto` continues without the engine. */
function asEngineError(error: UserError): UserError {
  if (error.code !== 'program') return error
  return new UserError('engine', error.message, { hint: `${error.hint}; or ${WITHOUT_ENGINE}`, cause: error })
}

export function downloadFailed(error: unknown): UserError {
  return new UserError('engine', `cannot download Dagger's CLI: ${innermost(error)}`, {
    hint: `set _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger, or ${WITHOUT_ENGINE}`,
    cause: error,
  })
}

/** The error for an engine that hangar cannot reach any more, in the middle of a build. */
export function lostEngine(name: string, reason: string, cause: unknown): UserError {
  return new UserError('engine', `lost the Dagger engine at '${name}' during the build: ${reason}`, {
    hint: `start the engine again and run the same command again: it continues where it stopped; or ${WITHOUT_ENGINE}`,
    cause,
  })
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1)
}

/** The first line of the innermost error, because the SDK wraps errors in less specific errors. */
export function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Skips the cause of a network error, which is the complete request and answer.
  if (error.cause instanceof Error && !('response' in error.cause)) return innermost(error.cause)
  return error.message.split('\n')[0] ?? ''
}
