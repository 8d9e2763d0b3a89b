import { formatDuration, formatSize } from '../lib/format.ts'

export const formatBytes = formatSize

export function formatSeconds(seconds: number): string {
  return formatDuration(seconds * 1000)
}

/** The first row is the heading; every column is as wide as its widest cell. */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
