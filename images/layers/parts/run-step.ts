import { writeSync } from 'node:fs'
import { Refusal, refusalLine } from '../../refusal.ts'
import { ProgramFailed } from './exec.ts'

/**
 * Runs a step. Prints a refusal as one line for the builder. Prints no stack for a failed program, because the builder shows
 * the last lines of the log, and the reason is in the program's own lines. Every other error is a fault of the step itself.
 */
export async function runStep(step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    const text = lineFor(error)
    if (text === undefined) throw error
    writeSync(2, `${text}\n`)
    // Does not wait for programs that still run.
    process.exit(1)
  }
}

function lineFor(error: unknown): string | undefined {
  if (error instanceof Refusal) return refusalLine(error)
  return error instanceof ProgramFailed ? error.message : undefined
}
