import type { Timing } from '../../lib/backoff.ts'

export interface FakeTiming extends Timing {
  /** Every sleep, in milliseconds. */
  readonly sleeps: number[]
}

/** A time that advances only by sleeping. Several sleeps at once end at the same time. */
export function fakeTiming(): FakeTiming {
  let now = 0
  const sleeps: number[] = []
  return {
    sleeps,
    now: () => now,
    random: () => 0.5,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted()
      const until = now + milliseconds
      sleeps.push(milliseconds)
      await new Promise((resolve) => setImmediate(resolve))
      now = Math.max(now, until)
    },
  }
}
