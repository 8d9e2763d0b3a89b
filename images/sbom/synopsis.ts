/** What a licence field's first line says: a short name, all of several, or one of them. */
export type Licences =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Licences[] }

/**
 * Reads short names joined by `and` and `or` (section 7.2): `and` binds closer, unless a comma stands before it. Undefined
 * for what is not that: one half of it may mean anything.
 */
export function parseSynopsis(synopsis: string): Licences | undefined {
  const groups = synopsis.split(/,\s+(and|or)\s+/i)
  const operators = new Set(groups.filter((_, at) => at % 2 === 1).map((each) => each.toLowerCase()))
  const parts = groups.filter((_, at) => at % 2 === 0).map(parseGroup)
  // Which of `A, and B, or C` comes first, nobody says.
  if (operators.size > 1 || !parts.every((each) => each !== undefined)) return undefined
  return joined(operators.has('and') ? 'and' : 'or', parts)
}

/** `A or B and C`, without a comma. */
function parseGroup(text: string): Licences | undefined {
  const alternatives = text.split(/\s+or\s+/i).map((each) => allOf(each.split(/\s+and\s+/i).map(parseName)))
  return alternatives.every((each) => each !== undefined) ? joined('or', alternatives) : undefined
}

function allOf(parts: readonly (Licences | undefined)[]): Licences | undefined {
  return parts.every((each) => each !== undefined) ? joined('and', parts) : undefined
}

function joined(kind: 'and' | 'or', of: readonly Licences[]): Licences | undefined {
  return of.length === 1 ? of[0] : { kind, of }
}

// No spaces, and nothing that other notations join names with. What follows `with` is words.
const NAME = /^(?!(?:and|or|with)$)[^\s,;|&()]+(?:\s+with\s+[^,;|&()]*\bexceptions?)?$/i

function parseName(text: string): Licences | undefined {
  const name = text.trim().replace(/\s+/g, ' ')
  return NAME.test(name) ? { kind: 'name', name } : undefined
}
