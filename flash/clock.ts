import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'

/** A monotonic clock in milliseconds: setting the machine's time does not change it. */
export interface Clock {
  now(): number
  /** Rejects with an AbortError when the command is stopped. */
  sleep(milliseconds: number): Promise<void>
}

/** The machine's clock; `signal` ends every sleep. */
export function clockUntil(signal: AbortSignal): Clock {
  return { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }) }
}

/** Whether Ctrl-C or a signal stopped the command. */
export function isStop(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/**
 * The error of a stopped command that the same command does not simply continue: it says in what state the host or the
 * disk is, and what to do next.
 */
export function stopped(state: string, hint: string, cause: unknown): UserError {
  return new UserError('stopped', state, { hint, cause })
}
