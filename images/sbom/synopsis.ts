/** The parsed first line of a licence field: a short name, `and` or `or`. */
export type Licences =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Licences[] }

/**
 * Parses short names joined by `and` and `or` (section 7.2). `and` has precedence, unless a comma precedes it. Returns
 * undefined for other text: a partial result could be wrong.
 */
export function parseSynopsis(synopsis: string): Licences | undefined {
  const groups = synopsis.split(/,\s+(and|or)\s+/i)
  const operators = new Set(groups.filter((_, at) => at % 2 === 1).map((each) => each.toLowerCase()))
  const parts = groups.filter((_, at) => at % 2 === 0).map(parseGroup)
  // The standard does not define the precedence in `A, and B, or C`.
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

// A short name has no spaces and no separators of other notations. Only an exception after `with` can have several words.
const NAME = /^(?!(?:and|or|with)$)[^\s,;|&()]+(?:\s+with\s+[^,;|&()]*\bexceptions?)?$/i

function parseName(text: string): Licences | undefined {
  const name = text.trim().replace(/\s+/g, ' ')
  return NAME.test(name) ? { kind: 'name', name } : undefined
}
