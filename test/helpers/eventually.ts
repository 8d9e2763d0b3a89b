import { setTimeout as wait } from 'node:timers/promises'
import { measureSlowdown, scaled } from './machine-speed.ts'

/** Time for `eventually`; unit tests replace it. */
export interface Waiting {
  /** Milliseconds. */
  readonly now: () => number
  readonly sleep: (milliseconds: number) => Promise<unknown>
  readonly slowdown: () => Promise<number>
}

const REAL: Waiting = { now: () => performance.now(), sleep: wait, slowdown: measureSlowdown }

/**
 * Calls `check` every second until it returns true. After `seconds`, throws the last error of `check`, or a timeout. Measures
 * the machine's speed before it gives up, and waits longer on a machine that is busy then.
 */
export async function eventually(
  check: () => Promise<boolean>,
  seconds: number,
  { now, sleep, slowdown }: Waiting = REAL,
): Promise<void> {
  const begun = now()
  let allowed = seconds
  let last: unknown
  for (;;) {
    while (now() < begun + allowed * 1000) {
      try {
        if (await check()) return
        last = undefined
      } catch (error) {
        last = error
      }
      await sleep(1000)
    }
    const longer = scaled(seconds, await slowdown())
    if (now() >= begun + longer * 1000) throw last ?? new Error(`the condition was not true within ${allowed} s`)
    allowed = longer
  }
}
