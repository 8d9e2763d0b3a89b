import { UserError } from '../../../errors.ts'

/** A command that an engine ran and that ended with another status than 0. */
export class ExecFailed extends Error {
  readonly command: readonly string[]
  readonly exitCode: number
  /** What it said; of a lot the last 100 KiB. */
  readonly output: string

  constructor(command: readonly string[], exitCode: number, output: string, options: ErrorOptions) {
    super(`a command in the engine ended with ${exitCode}: ${output}`, options)
    this.name = 'ExecFailed'
    this.command = command
    this.exitCode = exitCode
    this.output = output
  }
}

/** Asks an engine, and throws what it answers instead in our own words. */
export async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw ourError(error)
  }
}

/** How the SDK's errors are told apart: its own word for `instanceof` (common/errors/errors-codes.js). */
const EXEC_ERROR = 'D109'

function ourError(error: unknown): unknown {
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

/** The way out that is always there. */
export const WITHOUT_ENGINE = 'build without it: npm run build:image HOST -- --runner local'

export function engineFailed(message: string, cause: unknown): UserError {
  return new UserError('engine', message, { hint: `the same command goes on from here; or ${WITHOUT_ENGINE}`, cause })
}

const NO_ANSWER = 'no answer'

/** What an engine that is named has not said in a time (ms). */
export function noAnswer(host: string, patience: number): Error {
  return new Error(`${NO_ANSWER} from '${host}' within ${patience / 1000} s`)
}

/** No connection came about; `said` is what the SDK and its CLI wrote meanwhile. */
export function unreachable(error: unknown, log: string, said: string): UserError {
  if (error instanceof UserError) return error
  const reason = isSilent(error) ? 'its CLI ended without a word' : innermost(error)
  if (/failed to download dagger cli/.test(allOf(error))) {
    return new UserError('engine', `Dagger's CLI is not on this machine, and cannot be fetched: ${reason}`, {
      hint: `name one that is there: _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger; or ${WITHOUT_ENGINE}`,
      cause: error,
    })
  }
  const last = isLate(error) ? reason : said.split('\n').filter(isAnswer).at(-1)?.replace(PROMPT, '')
  return new UserError('engine', `the Dagger engine cannot be reached: ${last || reason}`, {
    hint: `what it said: ${log}; or ${WITHOUT_ENGINE}`,
    cause: error,
  })
}

/** The SDK's own words before those of its CLI. */
const PROMPT = /^(Creating new Engine session|Establishing connection to Engine)\.\.\. (OK!)?/

function isAnswer(line: string): boolean {
  return line.replace(PROMPT, '').trim() !== '' && line !== 'OK!'
}

/** The SDK wraps errors in others that say less; of several lines the first one is the reason. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What came over the network has its own cause: the request and the answer, whole.
  if (error.cause instanceof Error && !('response' in error.cause)) return innermost(error.cause)
  return error.message.split('\n')[0] ?? ''
}

function isLate(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(NO_ANSWER)
}

/** The SDK reads a port out of what its CLI has not said. */
function isSilent(error: unknown): boolean {
  return error instanceof Error && (error instanceof TypeError || isSilent(error.cause))
}

function allOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${allOf(error.cause)}` : ''
}
