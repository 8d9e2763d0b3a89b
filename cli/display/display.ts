import { progressText, type Running, reusedText } from './steps.ts'

/** What is going on, for one look. */
export interface Display {
  readonly running: readonly Running[]
  /** Steps that ended with something new, and steps whose result was in the store. */
  readonly done: number
  readonly reused: number
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The lines of a live display: they fit the terminal, each on one row, and leave the last row to the cursor. */
export function renderDisplay({ running, done, reused }: Display, now: number, { columns, rows }: Size): string[] {
  if (running.length === 0) return []
  const width = Math.max(...running.map(({ name }) => name.length))
  const steps = running.map((step) => `  ${step.name.padEnd(width)}  ${progressText(step, now)}`)
  const room = Math.max(1, rows - 2)
  const shown = steps.length <= room ? steps : [...steps.slice(0, room - 1), `  and ${steps.length - room + 1} more`]
  const counts = [`${running.length} running`, `${done} done`, ...(reused === 0 ? [] : [reusedText(reused)])]
  return [...shown, `  ${counts.join(', ')}`].map((line) => cut(line, columns))
}

/** A line as long as the row is wide makes some terminals go to the next one. */
function cut(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`
}
