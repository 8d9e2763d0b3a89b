/** Something that takes time; it counts bytes where a total is given. */
export interface ProgressStep {
  advance(bytes: number): void
  done(ending: 'done'): void
  failed(): void
}

/** Where use-cases say what they do. */
export interface Progress {
  step(name: string, totalBytes?: number): ProgressStep
  /** A fact worth a line. */
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
