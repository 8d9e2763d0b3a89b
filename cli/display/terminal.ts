import type { Ending } from '../../lib/reporter.ts'
import { renderDisplay, type Size } from './display.ts'
import { advance, begin, type Clock, type ClosableReporter, endingText, type Running, reusedText } from './steps.ts'

export interface Screen {
  write(text: string): void
  size(): Size
  readonly color: boolean
}

/** The time between two frames, in milliseconds. */
const FRAME = 100

/** A live display on the last rows of the terminal; finished steps scroll up and stay. */
export function terminalReporter(screen: Screen, clock: Clock): ClosableReporter {
  const live = liveArea(screen)
  const running = new Map<number, Running>()
  let counts = { done: 0, reused: 0 }
  let next = 0
  const draw = (above: readonly string[] = []) => {
    live.draw(above, renderDisplay({ running: [...running.values()], ...counts }, clock.now(), sizeOf(screen)))
  }
  // The timer runs only during steps, so that the display does not overwrite other output.
  let timer: NodeJS.Timeout | undefined
  const end = (key: number, ending: Ending | 'failed') => {
    const step = running.get(key)
    if (step === undefined) return
    running.delete(key)
    counts = ending === 'reused' ? { ...counts, reused: counts.reused + 1 } : { ...counts, done: counts.done + 1 }
    draw(ending === 'reused' ? [] : [endedLine(step, ending, clock.now(), screen.color)])
  }
  return {
    step(name, total) {
      const key = next++
      running.set(key, begin(name, total, clock.now()))
      timer ??= setInterval(draw, FRAME).unref()
      return {
        advance(bytes) {
          const step = running.get(key)
          if (step !== undefined) running.set(key, advance(step, bytes, clock.now()))
        },
        done: (ending) => end(key, ending),
        failed: () => end(key, 'failed'),
      }
    },
    notice: (text) => draw(text.split('\n')),
    warn: (text) => draw(`${paint('33', 'warning:', screen.color)} ${text}`.split('\n')),
    close() {
      clearInterval(timer)
      timer = undefined
      running.clear()
      draw(counts.reused === 0 ? [] : [reusedText(counts.reused)])
      counts = { done: 0, reused: 0 }
    },
  }
}

/** The usual size of a terminal, for one that lost its size while the display runs. */
const USUAL: Size = { columns: 80, rows: 24 }

function sizeOf(screen: Screen): Size {
  const { columns, rows } = screen.size()
  return Number.isSafeInteger(columns) && columns > 0 && Number.isSafeInteger(rows) && rows > 0
    ? { columns, rows }
    : USUAL
}

function endedLine(step: Running, ending: Ending | 'failed', now: number, color: boolean): string {
  const mark = ending === 'failed' ? paint('31', '✗', color) : paint('32', '✓', color)
  return `${mark} ${step.name}  ${paint('2', endingText(step, ending, now), color)}`
}

function paint(code: string, text: string, color: boolean): string {
  return color ? `\x1b[${code}m${text}\x1b[0m` : text
}

/**
 * Redraws the last rows of the terminal in place. Each frame is one write that overwrites every row without clearing it
 * first, so nothing flickers. The cursor stays visible, so the terminal needs no cleanup when the program ends.
 */
function liveArea(screen: Screen) {
  let shown: readonly string[] = []
  return {
    draw(above: readonly string[], lines: readonly string[]) {
      if (above.length === 0 && lines.join('\n') === shown.join('\n')) return
      const { columns } = sizeOf(screen)
      // A terminal that became narrower has wrapped our rows.
      const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0)
      const up = rows === 0 ? '' : `\x1b[${rows}A`
      screen.write(`${up}${[...above, ...lines].map((line) => `\r${line}\x1b[K\n`).join('')}\x1b[J`)
      shown = lines
    },
  }
}
