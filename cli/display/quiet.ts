import type { Reporter } from '../../lib/reporter.ts'

/** Says nothing: for commands whose output a program reads. */
export const QUIET: Reporter = {
  step: () => ({ advance: () => undefined, done: () => undefined, failed: () => undefined }),
  notice: () => undefined,
  warn: () => undefined,
}
