import { formatDuration, formatSize } from '../../lib/format.ts'
import type { Ending, Reporter } from '../../lib/reporter.ts'

/** A clock in milliseconds; tests replace it. */
export interface Clock {
  now(): number
}

/** A reporter with a cleanup at the end. `close` may be called more than once. */
export interface ClosableReporter extends Reporter {
  close(): void
}

/** A step that is running, and its progress. */
export interface Running {
  readonly name: string
  readonly begun: number
  readonly total: number | undefined
  readonly bytes: number
  /** Marks: the progress at two earlier times. hangar computes the rate since the older mark. */
  readonly marks: readonly [Mark, Mark]
}

interface Mark {
  readonly time: number
  readonly bytes: number
}

/**
 * The time between two marks, in milliseconds. The rate covers only one to two such intervals, so that an earlier stall
 * does not distort it.
 */
const MARK_EVERY = 3000

export function begin(name: string, total: number | undefined, now: number): Running {
  const start = { time: now, bytes: 0 }
  return { name, begun: now, total, bytes: 0, marks: [start, start] }
}

export function advance(running: Running, bytes: number, now: number): Running {
  const [, newer] = running.marks
  const marks = now - newer.time < MARK_EVERY ? running.marks : ([newer, { time: now, bytes: running.bytes }] as const)
  return { ...running, bytes: running.bytes + bytes, marks }
}

/** The progress of a step: `40 MB of 82 MB, 20 MB/s, 2.1 s left`. For a step that counts no bytes: the elapsed time. */
export function progressText(running: Running, now: number): string {
  const { total, bytes, begun } = running
  if (total === undefined && bytes === 0) return formatDuration(now - begun)
  const done = total === undefined ? formatSize(bytes) : `${formatSize(Math.min(bytes, total))} of ${formatSize(total)}`
  const rate = rateOf(running, now)
  if (rate === 0) return `${done}, ${formatDuration(now - begun)}`
  const left = total === undefined ? '' : `, ${formatDuration((Math.max(0, total - bytes) / rate) * 1000)} left`
  return `${done}, ${formatSize(Math.round(rate))}/s${left}`
}

/** The rate of a step, in bytes per second. */
function rateOf({ bytes, marks: [older] }: Running, now: number): number {
  return now > older.time ? ((bytes - older.bytes) * 1000) / (now - older.time) : 0
}

/** The text of a finished step, with its size and duration. */
export function endingText(running: Running, ending: Ending | 'failed', now: number): string {
  const took = formatDuration(now - running.begun)
  if (ending === 'failed') return `failed after ${took}`
  const size = running.total ?? running.bytes
  return size === 0 ? took : `${formatSize(size)} in ${took}`
}

/** The line with the number of steps whose result was in the store. */
export function reusedText(reused: number): string {
  return `${reused} ${reused === 1 ? 'step' : 'steps'} from the store`
}
