import type { Reporter } from '../../lib/reporter.ts'

/** A reporter that prints nothing: for commands that print JSON. */
export const QUIET: Reporter = {
  step: () => ({ advance: () => undefined, done: () => undefined, failed: () => undefined }),
  notice: () => undefined,
  warn: () => undefined,
}
