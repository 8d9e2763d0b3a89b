import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'

/** A monotonic clock, in milliseconds: a change of the machine's time does not affect it. */
export interface Clock {
  now(): number
  /** Rejects with an AbortError when the command is stopped. */
  sleep(milliseconds: number): Promise<void>
}

/** The machine's clock. Aborting `signal` ends every sleep. */
export function clockUntil(signal: AbortSignal): Clock {
  return { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }) }
}

/** Whether an error means that Ctrl-C or a signal stopped the command. */
export function isStop(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/**
 * The error of a stopped command that cannot simply run again. The message gives the state of the host or disk, and the
 * hint the next command.
 */
export function stopped(state: string, hint: string, cause: unknown): UserError {
  return new UserError('stopped', state, { hint, cause })
}
