import { UserError } from '../../../../errors.ts'
import { type Alternatives, accepts, formatRelations, type Relation } from '../../../../images/debian/relation.ts'
import type { LockedPackage } from '../../../../images/lock.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import { assumedNames, type Candidate, type Catalogue, isAssumed, requestedBy } from './catalogue.ts'

const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra']

/**
 * Resolves a set without apt, for the toolchain that contains apt. Takes the newest version of each package and the
 * first alternative that exists, and ignores conflicts.
 */
export function bootstrapSet(set: PackageSet, catalogue: Catalogue): LockedPackage[] {
  const assumed = assumedNames(set, catalogue)
  const chosen = new Map<string, Candidate>()
  const queue = requestedBy(set, catalogue).map(({ candidate }) => candidate)
  // Chooses the requested packages before any dependency, so that a dependency never replaces a request.
  for (const candidate of queue) chosen.set(candidate.locked.package, candidate)
  for (const asking of queue) {
    for (const alternatives of asking.depends) {
      if (isAssumed(alternatives, assumed) || isMet(alternatives, chosen)) continue
      const candidate = choose(alternatives, chosen, catalogue)
      if (candidate === undefined) throw unmet(alternatives, asking, chosen)
      chosen.set(candidate.locked.package, candidate)
      queue.push(candidate)
    }
  }
  return [...chosen.values()].map(({ locked }) => locked)
}

function isMet(alternatives: Alternatives, chosen: ReadonlyMap<string, Candidate>): boolean {
  return alternatives.some((relation) => {
    const named = chosen.get(relation.package)
    if (named !== undefined && accepts(relation, named.locked.version)) return true
    return [...chosen.values()].some((candidate) => provides(candidate, relation))
  })
}

function choose(
  alternatives: Alternatives,
  chosen: ReadonlyMap<string, Candidate>,
  catalogue: Catalogue,
): Candidate | undefined {
  const named = alternatives.flatMap((relation) =>
    catalogue.candidates(relation.package).filter(({ locked }) => accepts(relation, locked.version)),
  )
  const candidates = [...named, ...alternatives.flatMap((relation) => providing(relation, catalogue))]
  return candidates.find(({ locked }) => !chosen.has(locked.package))
}

/** The packages that provide a name, sorted by priority and then by name. For `awk`, mawk comes before gawk. */
function providing(relation: Relation, catalogue: Catalogue): Candidate[] {
  const rank = ({ paragraph }: Candidate) => PRIORITIES.indexOf(paragraph.get('priority') ?? 'optional')
  return catalogue
    .providers(relation.package)
    .flatMap((name) => catalogue.candidates(name).slice(0, 1))
    .filter((candidate) => provides(candidate, relation))
    .sort((a, b) => rank(a) - rank(b) || (a.locked.package < b.locked.package ? -1 : 1))
}

/** A package that provides a name without a version satisfies no relation with a version, see deb-control(5). */
function provides(candidate: Candidate, relation: Relation): boolean {
  return candidate.provides.flat().some((provided) => {
    if (provided.package !== relation.package) return false
    if (relation.version === undefined) return true
    return provided.version !== undefined && accepts(relation, provided.version.wanted)
  })
}

function unmet(alternatives: Alternatives, asking: Candidate, chosen: ReadonlyMap<string, Candidate>): UserError {
  const text = formatRelations([alternatives])
  const have = alternatives.flatMap((each) => chosen.get(each.package)?.locked.version ?? [])
  const { package: name, version } = asking.locked
  const instead = have.length === 0 ? 'no suite has it' : `the set has ${have.join(', ')}`
  return new UserError('lock', `package '${name}' ${version} depends on '${text}': ${instead}`, {
    hint: 'the mirror may be in the middle of an update: try again later, or use another one: HANGAR_DEBIAN_MIRROR=URL',
  })
}
