import { readFileSync, writeFileSync } from 'node:fs'
import { type Calibration, calibrationLine } from './calibration.ts'

/** One row of the README's table. */
export interface Figure {
  readonly what: string
  readonly must: string
  readonly aim: string
  readonly measured: string
}

/** The npm script that prints a table. */
export type Bench = 'bench' | 'bench:flash' | 'bench:dagger'

/** The table of one run, below a line that describes the machine. */
export function figuresTable(
  bench: Bench,
  figures: readonly Figure[],
  calibration: Calibration,
  cores: number,
): string {
  const rows = figures.map(({ what, must, aim, measured }) => `| ${what} | ${must} | ${aim} | **${measured}** |`)
  return [
    '| what | must | aim | measured |',
    '|---|---|---|---|',
    ...rows,
    '',
    `One run of \`npm run ${bench}\` on ${cores} cores; ${calibrationLine(calibration)}.`,
  ].join('\n')
}

/** Replaces the table between its markers. */
export function writeReadmeTable(file: string, bench: Bench, table: string): void {
  writeFileSync(file, replaceBetweenMarkers(readFileSync(file, 'utf8'), bench, table))
}

function replaceBetweenMarkers(text: string, bench: Bench, table: string): string {
  const [first, last] = [`<!-- npm run ${bench} -->`, `<!-- end of npm run ${bench} -->`]
  const begin = text.indexOf(first)
  const end = text.indexOf(last)
  if (begin < 0 || end < begin) throw new Error(`the markers '${first}' … '${last}' are missing`)
  return `${text.slice(0, begin + first.length)}\n${table}\n${text.slice(end)}`
}
