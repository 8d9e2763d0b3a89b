/** How a step ended, for the table after the command. `done` is for a step whose result cannot be reused. */
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
  /** A fact that deserves a line. */
  notice(text: string): void
  /** A problem that the owner should act on. */
  warn(text: string): void
}

/** A reporter for use cases that never warn. */
export type Progress = Pick<Reporter, 'step' | 'notice'>

export interface During {
  readonly totalBytes?: number
  /** The ending of a step that succeeds; the default is `done`. */
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
