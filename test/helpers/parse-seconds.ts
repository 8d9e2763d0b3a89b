const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, days: 86_400 }

/** `2 min 5 s` as a command prints it, in seconds. */
export function parseSeconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?) (s|min|h|days)\b/g)]
  if (parts.length === 0) throw new Error(`'${text}' is no time`)
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
}
