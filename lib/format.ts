const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `5.3 MB`: decimal, as disks and mirrors count; three digits at most. */
export function formatSize(bytes: number): string {
  let [value, unit] = [bytes, 0]
  // 999.6 would be rounded to 1000: that is 1.0 of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1]
  const digits = unit === 0 || value >= 9.95 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

/** `0.3 s`, `12 s`, `2 min 5 s`, `1 h 3 min`, `12 days`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (milliseconds < 9950) return `${(Math.max(0, milliseconds) / 1000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds >= 48 * 3600) return `${Math.floor(seconds / 86_400)} days`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
