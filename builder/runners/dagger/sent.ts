import type { Step } from '../../../lib/reporter.ts'
import { bytesWritten } from './cli-process.ts'

/** Milliseconds between two looks. */
const EVERY = 250

/**
 * Shows as a step what goes to the engine, and ends it when everything is there. Nobody says how much the engine lacks,
 * so it is counted where it leaves: what the CLI writes, be it to the engine or, of what is finished early, to this disk.
 */
export async function countSent(step: Step, sending: Promise<unknown>): Promise<void> {
  let counted = bytesWritten()
  const count = () => {
    const written = bytesWritten()
    step.advance(Math.max(0, written - counted))
    counted = written
  }
  const timer = setInterval(count, EVERY).unref()
  try {
    await sending
    count()
    step.done('done')
  } finally {
    clearInterval(timer)
  }
}
