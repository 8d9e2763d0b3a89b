/** A step that takes time; it counts bytes if it has a total. */
export interface ProgressStep {
  advance(bytes: number): void
  done(ending: 'done'): void
  failed(): void
}

/** Receives what a use case does, while it does it. */
export interface Progress {
  step(name: string, totalBytes?: number): ProgressStep
  /** Prints one line. */
  notice(text: string): void
}

/** Runs `work` as a step that ends with it. */
export async function during<T>(
  progress: Progress,
  name: string,
  work: (step: ProgressStep) => Promise<T>,
  totalBytes?: number,
): Promise<T> {
  const step = progress.step(name, totalBytes)
  try {
    const result = await work(step)
    step.done('done')
    return result
  } catch (error) {
    step.failed()
    throw error
  }
}
