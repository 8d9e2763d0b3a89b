import type { Step } from '../../../lib/reporter.ts'
import { bytesWritten } from './cli-process.ts'

/** The time between two progress updates, in milliseconds. */
const INTERVAL = 250

/**
 * Reports the bytes that go to the engine as progress of a step, until `sending` ends. The SDK reports no transfer
 * size, so the count comes from /proc/PID/io of the CLI. It includes outputs that the CLI writes to this disk
 * meanwhile.
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
