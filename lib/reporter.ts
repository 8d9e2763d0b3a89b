/** How a step ended, for the table after the command. `done` is for steps that have no reusable result. */
export type Ending = 'built' | 'reused' | 'fetched' | 'done'

/** A task that takes time. It counts bytes when it moves data. */
export interface Step {
  advance(bytes: number): void
  done(ending: Ending): void
  failed(): void
}

/** Receives the progress of use cases. A terminal, plain lines and a list in tests implement it. */
export interface Reporter {
  step(name: string, totalBytes?: number): Step
  /** Prints a fact on a line of its own. */
  notice(text: string): void
  /** Prints a problem that the owner should solve. */
  warn(text: string): void
}

/** The part of a reporter that use cases without warnings need. */
export type Progress = Pick<Reporter, 'step' | 'notice'>

export interface During {
  readonly totalBytes?: number
  /** How a successful step ends; the default is `done`. */
  readonly ending?: Ending
}

/** Runs `work` as a step: the step ends as done when `work` resolves, and as failed when it rejects. */
export async function during<T>(
  reporter: Pick<Reporter, 'step'>,
  name: string,
  work: (step: Step) => Promise<T>,
  { totalBytes, ending = 'done' }: During = {},
): Promise<T> {
  const step = reporter.step(name, totalBytes)
  try {
    const result = await work(step)
    step.done(ending)
    return result
  } catch (error) {
    step.failed()
    throw error
  }
}
