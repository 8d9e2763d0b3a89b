import type { Ending, Reporter } from '../reporter.ts'
import { formatDuration, formatSize } from './format.ts'

export interface Clock {
  /** Milliseconds. */
  now(): number
}

/** Steps that are over sooner are not worth a line when they begin. */
const WORTH_A_LINE = 1000

/** One line where something begins that takes time, and one where it ends: for logs, and for pipes. */
export function plainReporter(write: (line: string) => void, clock: Clock): Reporter & { close(): void } {
  const timers = new Set<NodeJS.Timeout>()
  return {
    step(name, totalBytes) {
      const begun = clock.now()
      const timer = setTimeout(() => write(`${name} ...`), WORTH_A_LINE)
      timer.unref()
      timers.add(timer)
      const end = (text: string) => {
        clearTimeout(timer)
        timers.delete(timer)
        write(`${name}: ${text}`)
      }
      const size = totalBytes === undefined ? '' : `, ${formatSize(totalBytes)}`
      return {
        advance: () => {},
        done: (ending: Ending) => end(ending === 'reused' ? 'from the store' : `${ending} in ${formatDuration(clock.now() - begun)}${size}`),
        failed: () => end(`failed after ${formatDuration(clock.now() - begun)}`),
      }
    },
    notice: write,
    warn: (text) => write(`warning: ${text}`),
    close() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
