import type { Ending, Reporter } from '../reporter.ts'
import { formatDuration, formatSize } from './format.ts'
import type { Clock } from './plain.ts'

/** A step that runs, as the display shows it. */
export interface Running {
  readonly name: string
  readonly begun: number
  readonly total: number | undefined
  readonly bytes: number
}

export interface Display {
  readonly running: readonly Running[]
  readonly reused: number
  readonly done: number
}

/** The lines below what has been printed for good; at most `width` characters each. */
export function renderDisplay({ running, reused, done }: Display, now: number, width: number): string[] {
  const lines = running.map((step) => `  ${runningLine(step, now)}`)
  const counts = `  ${done} done, ${reused} from the store`
  return [...lines, counts].map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
}

function runningLine({ name, begun, total, bytes }: Running, now: number): string {
  const elapsed = now - begun
  if (total === undefined || total === 0) return `${name}  ${formatDuration(elapsed)}`
  const rate = elapsed > 0 ? bytes / (elapsed / 1000) : 0
  const left = rate > 0 && bytes > 0 ? `, ${formatDuration(((total - bytes) / rate) * 1000)} left` : ''
  return `${name}  ${formatSize(bytes)} of ${formatSize(total)}, ${formatSize(Math.round(rate))}/s${left}`
}

interface Screen {
  write(text: string): void
  readonly columns: number
}

const FRAME = 100

/** A live display at the terminal's end; what is done moves up and stays. */
export function terminalReporter(screen: Screen, clock: Clock): Reporter & { close(): void } {
  const running = new Map<number, Running>()
  let reused = 0
  let done = 0
  let drawn = 0
  let next = 0
  const erase = () => (drawn === 0 ? '' : `\x1b[${drawn}A\x1b[J`)
  const draw = (above = '') => {
    const lines = running.size === 0 ? [] : renderDisplay({ running: [...running.values()], reused, done }, clock.now(), screen.columns)
    screen.write(`${erase()}${above}${lines.map((line) => `${line}\n`).join('')}`)
    drawn = lines.length
  }
  const timer = setInterval(() => running.size > 0 && draw(), FRAME)
  timer.unref()
  return {
    step(name, total) {
      const key = next++
      const begun = clock.now()
      running.set(key, { name, begun, total, bytes: 0 })
      const end = (text: string) => {
        running.delete(key)
        draw(text)
      }
      return {
        advance(bytes) {
          const step = running.get(key)
          if (step !== undefined) running.set(key, { ...step, bytes: step.bytes + bytes })
        },
        done(ending: Ending) {
          if (ending === 'reused') reused += 1
          else done += 1
          end(ending === 'reused' ? '' : `✓ ${name}  ${formatDuration(clock.now() - begun)}${total === undefined ? '' : `, ${formatSize(total)}`}\n`)
        },
        failed: () => end(`✗ ${name}  after ${formatDuration(clock.now() - begun)}\n`),
      }
    },
    notice: (text) => draw(`${text}\n`),
    warn: (text) => draw(`warning: ${text}\n`),
    close() {
      clearInterval(timer)
      running.clear()
      draw()
    },
  }
}
