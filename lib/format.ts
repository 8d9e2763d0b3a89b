const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Formats a number of bytes in decimal units, with at most three digits: `5.3 MB`. */
export function formatSize(bytes: number): string {
  let [value, unit] = [bytes, 0]
  // Takes the next unit from 999.5 on, because rounding would give four digits.
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1]
  const digits = unit === 0 || value >= 9.95 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400]

/** Formats milliseconds: `0.3 s`, `12 s`, `2 min 5 s`, `1 h 3 min`, `12 days`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (milliseconds < 9950) return `${(Math.max(0, milliseconds) / 1000).toFixed(1)} s`
  if (seconds < MINUTE) return `${seconds} s`
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ${seconds % MINUTE} s`
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`
  return `${Math.floor(seconds / DAY)} days`
}
