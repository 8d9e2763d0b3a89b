import type { Step } from '../../../lib/reporter.ts'

/** The time between two progress updates, in milliseconds. */
const INTERVAL = 250

/**
 * Reports the bytes that go to the engine as progress of a step, until `sending` ends. `sent` is the number of bytes so
 * far. Returns the number of bytes that went during the step.
 */
export async function countSent(step: Step, sending: Promise<unknown>, sent: () => number): Promise<number> {
  const before = sent()
  let counted = before
  const count = () => {
    const now = Math.max(counted, sent())
    step.advance(now - counted)
    counted = now
  }
  const timer = setInterval(count, INTERVAL).unref()
  try {
    await sending
    count()
    step.done('done')
    return counted - before
  } finally {
    clearInterval(timer)
  }
}
