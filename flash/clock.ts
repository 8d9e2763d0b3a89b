import { setTimeout as sleep } from 'node:timers/promises'

/** Time as waiting needs it: milliseconds of a clock that nobody sets. */
export interface Clock {
  now(): number
  /** Rejects when whoever waits is told to stop. */
  sleep(milliseconds: number): Promise<void>
}

export function clockUntil(signal: AbortSignal): Clock {
  return { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }) }
}
