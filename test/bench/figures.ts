import { readFileSync, writeFileSync } from 'node:fs'
import { type Calibration, calibrationLine } from './calibration.ts'

/** One row of the README's table. */
export interface Figure {
  readonly what: string
  readonly must: string
  readonly aim: string
  readonly measured: string
}

const BEGIN = '<!-- npm run bench -->'
const END = '<!-- end of npm run bench -->'

/** The table of one run, under the line that tells what the machine was like. */
export function figuresTable(figures: readonly Figure[], calibration: Calibration, cores: number): string {
  const rows = figures.map(({ what, must, aim, measured }) => `| ${what} | ${must} | ${aim} | **${measured}** |`)
  return [
    '| what | must | aim | measured |',
    '|---|---|---|---|',
    ...rows,
    '',
    `One run of \`npm run bench\` on ${cores} cores; ${calibrationLine(calibration)}.`,
  ].join('\n')
}

/** Puts text in the place of what stands between the markers. */
export function replaceBetweenMarkers(text: string, table: string): string {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`README.md has no '${BEGIN}' … '${END}'`)
  return `${text.slice(0, begin + BEGIN.length)}\n${table}\n${text.slice(end)}`
}

export function writeReadmeTable(file: string, table: string): void {
  writeFileSync(file, replaceBetweenMarkers(readFileSync(file, 'utf8'), table))
}
