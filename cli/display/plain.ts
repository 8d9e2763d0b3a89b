import type { Ending } from '../../lib/reporter.ts'
import { advance, begin, type Clock, type ClosableReporter, endingText, progressText, reusedText } from './steps.ts'

/** Steps that are over sooner (ms) are not worth a line when they begin. */
const WORTH_A_LINE = 1000
/** What takes long says so every so often (ms): a silent log looks like a hang. */
const STILL_THERE = 30_000

/** One line where something begins that takes time, and one where it ends: for logs, and for pipes. */
export function plainReporter(write: (line: string) => void, clock: Clock): ClosableReporter {
  const timers = new Set<NodeJS.Timeout>()
  let reused = 0
  return {
    step(name, total) {
      let running = begin(name, total, clock.now())
      const first = setTimeout(() => write(`${name} ...`), WORTH_A_LINE).unref()
      const still = setInterval(() => write(`${name} ... ${progressText(running, clock.now())}`), STILL_THERE).unref()
      timers.add(first).add(still)
      const end = (ending: Ending | 'failed') => {
        for (const timer of [first, still]) stop(timer)
        if (ending === 'reused') reused += 1
        else write(`${name}: ${ending === 'failed' ? '' : `${ending}, `}${endingText(running, ending, clock.now())}`)
      }
      return {
        advance: (bytes) => {
          running = advance(running, bytes, clock.now())
        },
        done: end,
        failed: () => end('failed'),
      }
    },
    notice: write,
    warn: (text) => write(`warning: ${text}`),
    close() {
      for (const timer of timers) stop(timer)
      if (reused > 0) write(reusedText(reused))
      reused = 0
    },
  }

  function stop(timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    timers.delete(timer)
  }
}
