import { satisfies, type VersionOperator } from './version.ts'

/** One alternative of a relation: `libc6:any (>= 2.41)`. */
export interface Relation {
  readonly package: string
  /** The text after the colon: `any`, `native` or an architecture. */
  readonly qualifier: string | undefined
  readonly version: { readonly operator: VersionOperator; readonly wanted: string } | undefined
}

/** The alternatives of a relation, in order of preference. One alternative is enough to satisfy the relation. */
export type Alternatives = readonly Relation[]

// The syntax of a relation in a binary package. Only source packages have relations with architecture lists and build
// profiles.
const RELATION = /^([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?$/

/** Parses the value of Depends, Provides or a similar field. Throws on a syntax error, which a signed index cannot have. */
export function parseRelations(field: string): Alternatives[] {
  return field
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
    .map((group) => group.split('|').map((text) => parseRelation(text.trim())))
}

/** Writes relations in Debian's notation. */
export function formatRelations(relations: readonly Alternatives[]): string {
  return relations.map((alternatives) => alternatives.map(formatRelation).join(' | ')).join(', ')
}

/** Whether a version of the named package satisfies the relation. */
export function accepts(relation: Relation, version: string): boolean {
  return relation.version === undefined || satisfies(version, relation.version.operator, relation.version.wanted)
}

function formatRelation({ package: name, qualifier, version }: Relation): string {
  const qualified = qualifier === undefined ? name : `${name}:${qualifier}`
  return version === undefined ? qualified : `${qualified} (${version.operator} ${version.wanted})`
}

function parseRelation(text: string): Relation {
  const found = RELATION.exec(text)
  if (found?.[1] === undefined) throw new Error(`invalid package relation: '${text}'`)
  const [, name, qualifier, operator, wanted] = found
  return {
    package: name,
    qualifier,
    version: operator === undefined || wanted === undefined ? undefined : { operator: strict(operator), wanted },
  }
}

/** The deprecated operators `<` and `>` mean `<=` and `>=` (deb-control(5)). */
function strict(operator: string): VersionOperator {
  if (operator === '<') return '<='
  return operator === '>' ? '>=' : (operator as VersionOperator)
}
