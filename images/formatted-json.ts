import type { Json } from './canonical.ts'

const LINE_WIDTH = 120

/** Canonical JSON as `npm run format` formats it: one line per member, and a list on one line where it fits. */
export function formattedJson(value: Json): string {
  return `${formatted(value, '', LINE_WIDTH)}\n`
}

/** `room`: the columns that are left for the value on its first line. */
function formatted(value: Json, margin: string, room: number): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const inner = `${margin}  `
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => formatted(item, inner, LINE_WIDTH - inner.length - 1))
    const line = `[${items.join(', ')}]`
    return line.length <= room && !line.includes('\n') ? line : `[\n${lines(items, inner)}\n${margin}]`
  }
  const members = Object.entries(value as Record<string, Json | undefined>)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => {
      const key = `${JSON.stringify(name)}: `
      return key + formatted(member, inner, LINE_WIDTH - inner.length - key.length - ','.length)
    })
  return members.length === 0 ? '{}' : `{\n${lines(members, inner)}\n${margin}}`
}

function lines(items: readonly string[], margin: string): string {
  return items.map((item) => margin + item).join(',\n')
}
