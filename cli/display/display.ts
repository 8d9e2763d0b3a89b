import { progressText, type Running, reusedText } from './steps.ts'

/** The data of one frame of the live display. */
export interface Display {
  readonly running: readonly Running[]
  /**
   * The numbers of finished steps: `done` counts the steps that ran, `reused` the steps whose result was in the store.
   */
  readonly done: number
  readonly reused: number
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The lines of one frame. Each line fits into one row, and the last row stays free for the cursor. */
export function renderDisplay({ running, done, reused }: Display, now: number, { columns, rows }: Size): string[] {
  if (running.length === 0) return []
  const width = Math.max(...running.map(({ name }) => name.length))
  const steps = running.map((step) => `  ${step.name.padEnd(width)}  ${progressText(step, now)}`)
  const available = Math.max(1, rows - 2)
  const shown = steps.length <= available ? steps : withCount(steps, available)
  const counts = [`${running.length} running`, `${done} done`, ...(reused === 0 ? [] : [reusedText(reused)])]
  return [...shown, `  ${counts.join(', ')}`].map((line) => cut(line, columns))
}

/** As many lines as fit on the terminal. The last line gives the number of the other lines. */
function withCount(lines: readonly string[], available: number): string[] {
  return [...lines.slice(0, available - 1), `  and ${lines.length - available + 1} more`]
}

/** Cuts lines to less than the width of the terminal, because some terminals wrap a line of exactly this width. */
function cut(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`
}
