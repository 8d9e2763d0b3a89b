import type { Ending, Reporter } from '../../lib/reporter.ts'

export interface Listed extends Reporter {
  /** `NAME: built`, `NAME: failed`, … in the order in which steps ended. */
  readonly ended: string[]
  readonly notices: string[]
  readonly warnings: string[]
}

/** A reporter that records every call. */
export function listReporter(): Listed {
  const ended: string[] = []
  const notices: string[] = []
  const warnings: string[] = []
  return {
    ended,
    notices,
    warnings,
    step: (name) => ({
      advance: () => {},
      done: (ending: Ending) => void ended.push(`${name}: ${ending}`),
      failed: () => void ended.push(`${name}: failed`),
    }),
    notice: (text) => void notices.push(text),
    warn: (text) => void warnings.push(text),
  }
}
