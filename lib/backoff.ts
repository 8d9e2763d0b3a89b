import { setTimeout } from 'node:timers/promises'

/** The clock and the random numbers of retries. */
export interface Timing {
  /** A monotonic time, in milliseconds. */
  now(): number
  /** Rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
  /** A random number from 0 up to 1. */
  random(): number
}

export const TIMING: Timing = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal }),
  random: Math.random,
}

/** The longest wait before a retry, and the longest wait that a server's Retry-After can cause, in milliseconds. */
export const LONGEST_WAIT = 30_000
export const LONGEST_RETRY_AFTER = 60_000

/**
 * The wait before the next try after `failures` failures in a row, in milliseconds: it doubles with each failure. The random
 * part keeps clients that failed at the same time from coming back at the same time. `retryAfter` is the wait that the server
 * asked for.
 */
export function waitAfter(failures: number, first: number, { random }: Timing, retryAfter = 0): number {
  const doubled = Math.min(LONGEST_WAIT, first * 2 ** (failures - 1))
  return Math.max((doubled * (1 + random())) / 2, Math.min(retryAfter, LONGEST_RETRY_AFTER))
}
