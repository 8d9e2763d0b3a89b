import type { Row, SweepReport } from './sweep.ts'

const COLUMNS: readonly (readonly [title: string, cell: (row: Row) => string | number])[] = [
  ['cut points', ({ kind }) => kind],
  ['tried', ({ tried }) => tried],
  ['boots a', ({ a }) => a],
  ['boots b', ({ b }) => b],
  ['stuck', ({ stuck }) => stuck],
  ['verified', ({ verified }) => verified],
  ['damaged selector', ({ damagedSelectors }) => damagedSelectors],
  ['torn superblock', ({ tornSuperblocks }) => tornSuperblocks],
  ['failed', ({ failed }) => failed],
]

const MAX_FAILURES = 20

/** A table of the cuts, and the ids and problems of the first failures. */
export function formatReport({ rows, failures, entries, seed }: SweepReport): string {
  const total = rows.reduce(added, NOTHING)
  const lines = [
    COLUMNS.map(([title]) => title),
    ...[...rows, total].map((row) => COLUMNS.map(([, cell]) => cell(row))),
  ]
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => String(line[column]).length)))
  const table = lines.map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  '))
  const first = failures.slice(0, MAX_FAILURES).map(({ id, problems }) => `failed: ${id}: ${problems.join('; ')}`)
  const rest = failures.length > MAX_FAILURES ? [`and ${failures.length - MAX_FAILURES} more`] : []
  return [...table, `${entries} entries, seed ${seed}`, ...first, ...rest].join('\n')
}

const NOTHING: Row = {
  ...{ kind: 'total', tried: 0, a: 0, b: 0, stuck: 0, verified: 0 },
  ...{ damagedSelectors: 0, tornSuperblocks: 0, failed: 0 },
}

function added(sum: Row, row: Row): Row {
  const total = (name: Exclude<keyof Row, 'kind'>) => sum[name] + row[name]
  return {
    kind: 'total',
    ...{ tried: total('tried'), a: total('a'), b: total('b'), stuck: total('stuck') },
    ...{ verified: total('verified'), damagedSelectors: total('damagedSelectors') },
    ...{ tornSuperblocks: total('tornSuperblocks'), failed: total('failed') },
  }
}

function pad(cell: string | number, width: number): string {
  return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
}
