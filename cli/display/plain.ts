import type { Ending } from '../../lib/reporter.ts'
import { advance, begin, type Clock, type ClosableReporter, endingText, progressText, reusedText } from './steps.ts'

/** The duration in milliseconds after which a running step prints a line. A shorter step prints only its end. */
const START_LINE_AFTER = 1000
/**
 * The time between progress lines of a long step, in milliseconds. Without such lines, a log looks as if the program
 * hung.
 */
const PROGRESS_EVERY = 30_000

/** Prints one line when a long step starts, and one when a step ends: for logs and pipes. */
export function plainReporter(write: (line: string) => void, clock: Clock): ClosableReporter {
  const timers = new Set<NodeJS.Timeout>()
  let reused = 0
  return {
    step(name, total) {
      let running = begin(name, total, clock.now())
      const first = setTimeout(() => write(`${name} ...`), START_LINE_AFTER).unref()
      const still = setInterval(
        () => write(`${name} ... ${progressText(running, clock.now())}`),
        PROGRESS_EVERY,
      ).unref()
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
