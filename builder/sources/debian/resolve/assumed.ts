import type { Alternatives } from '../../../../images/debian/relation.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import type { Catalogue } from './catalogue.ts'

/**
 * Names that a set takes to be there: its assumed packages and what their newest versions provide. Whatever version a
 * relation asks of them, they meet it.
 */
export function assumedNames(set: PackageSet, catalogue: Catalogue): ReadonlySet<string> {
  const provided = set.assumed.flatMap((name) => catalogue.candidates(name)[0]?.provides.flat() ?? [])
  return new Set([...set.assumed, ...provided.map((relation) => relation.package)])
}

export function isAssumed(alternatives: Alternatives, assumed: ReadonlySet<string>): boolean {
  return alternatives.some((relation) => assumed.has(relation.package))
}
