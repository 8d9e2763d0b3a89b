export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** JSON with one text for each value: keys sorted by code unit, no spaces, no `undefined` members. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value as Record<string, Json | undefined>)
      .filter((entry): entry is [string, Json] => entry[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}

/**
 * The number of levels that have one line per member: one number for the whole value, or one number for each named
 * member.
 */
export type Depth = number | Readonly<Record<string, number>>

/** Canonical JSON for files that people read in a diff: values deeper than `depth` are on one line. */
export function canonicalText(value: Json, depth: Depth): string {
  return `${indented(value, depth, '')}\n`
}

function indented(value: Json, depth: Depth, margin: string): string {
  if (depth === 0 || value === null || typeof value !== 'object') return canonicalJson(value)
  const inner = `${margin}  `
  const below = (key: string) => (typeof depth === 'number' ? depth - 1 : (depth[key] ?? 0))
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + indented(item, below(''), inner)).join(',\n')}\n${margin}]`
  }
  const members = Object.entries(value as Record<string, Json | undefined>)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${inner}${JSON.stringify(key)}: ${indented(member, below(key), inner)}`)
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${margin}}`
}
