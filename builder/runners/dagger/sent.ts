import type { Step } from '../../../lib/reporter.ts'
import { bytesWritten } from './cli-process.ts'

/** Milliseconds between two updates. */
const INTERVAL = 250

/**
 * Advances a step by the bytes that go to the engine, and ends the step with `sending`. The SDK reports no transfer size:
 * the count comes from /proc/PID/io of the CLI, and includes outputs that the CLI already writes to this disk.
 */
export async function countSent(step: Step, sending: Promise<unknown>): Promise<void> {
  let counted = bytesWritten()
  const count = () => {
    const written = bytesWritten()
    step.advance(Math.max(0, written - counted))
    counted = written
  }
  const timer = setInterval(count, INTERVAL).unref()
  try {
    await sending
    count()
    step.done('done')
  } finally {
    clearInterval(timer)
  }
}
