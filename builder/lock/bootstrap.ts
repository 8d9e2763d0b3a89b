import { UserError } from '../../errors.ts'
import { type Alternatives, accepts, type Relation } from '../../images/debian/relation.ts'
import type { LockedPackage } from '../../images/lock.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { type Candidate, type Catalogue, parseRequest } from './catalogue.ts'

const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra']

/**
 * Resolves a set without any program: the newest automatic version of each name, the first alternative that exists.
 * Conflicts are not looked at. For the toolchain, which apt's solver itself runs in.
 */
export function bootstrapSet(set: PackageSet, catalogue: Catalogue): LockedPackage[] {
  const chosen = new Map<string, Candidate>()
  const queue: Candidate[] = []
  const choose = (candidate: Candidate) => {
    const name = candidate.locked.package
    if (chosen.has(name)) return
    chosen.set(name, candidate)
    queue.push(candidate)
  }
  const essential = set.essential === 'included' ? catalogue.essential() : []
  for (const request of [...set.request, ...essential]) choose(requested(request, set, catalogue))
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const alternatives of next.depends) {
      if (isMet(alternatives, chosen, set, catalogue)) continue
      choose(candidateFor(alternatives, next, chosen, catalogue))
    }
  }
  return [...chosen.values()].map(({ locked }) => locked)
}

function requested(request: string, set: PackageSet, catalogue: Catalogue): Candidate {
  const { name, suite } = parseRequest(request)
  const all = preferred(catalogue.candidates(name))
  const found = suite === undefined ? all[0] : all.find(({ locked }) => locked.suite === suite)
  if (found !== undefined) return found
  throw new UserError('lock', `set '${set.name}' asks for package '${request}', which ${catalogue.architecture} does not have`, {
    hint: `look for its name at https://packages.debian.org/${name}`,
  })
}

/** What apt would take by itself comes first, and of that the newest. */
function preferred(candidates: readonly Candidate[]): Candidate[] {
  return [...candidates.filter(({ automatic }) => automatic), ...candidates.filter(({ automatic }) => !automatic)]
}

function isMet(alternatives: Alternatives, chosen: ReadonlyMap<string, Candidate>, set: PackageSet, catalogue: Catalogue): boolean {
  const provided = (relation: Relation) => [...chosen.values()].some((candidate) => provides(candidate, relation))
  return alternatives.some((relation) => {
    const direct = chosen.get(relation.package)
    if (direct !== undefined && accepts(relation, direct.locked.version)) return true
    return isAssumed(relation, set, catalogue) || provided(relation)
  })
}

/** An assumed package, or one that it provides. Whatever version is asked for, it is taken to be that. */
export function isAssumed(relation: Relation, set: PackageSet, catalogue: Catalogue): boolean {
  if (set.assumed.includes(relation.package)) return true
  return set.assumed.some((name) => preferred(catalogue.candidates(name)).slice(0, 1).some((each) => provides(each, relation)))
}

function candidateFor(
  alternatives: Alternatives,
  asking: Candidate,
  chosen: ReadonlyMap<string, Candidate>,
  catalogue: Catalogue,
): Candidate {
  for (const relation of alternatives) {
    if (chosen.has(relation.package)) continue
    const found = preferred(catalogue.candidates(relation.package)).find(({ locked }) => accepts(relation, locked.version))
    if (found !== undefined) return found
  }
  for (const relation of alternatives) {
    const [found] = providing(relation, catalogue).filter(({ locked }) => !chosen.has(locked.package))
    if (found !== undefined) return found
  }
  throw unmet(alternatives, asking, chosen)
}

/** By priority, then by name: base-files' `awk` is mawk. */
function providing(relation: Relation, catalogue: Catalogue): Candidate[] {
  const rank = ({ paragraph }: Candidate) => PRIORITIES.indexOf(paragraph.get('priority') ?? 'optional')
  return catalogue
    .providers(relation.package)
    .flatMap((name) => preferred(catalogue.candidates(name)).slice(0, 1))
    .filter((candidate) => provides(candidate, relation))
    .sort((a, b) => rank(a) - rank(b) || (a.locked.package < b.locked.package ? -1 : 1))
}

/** deb-control(5): a provided name without a version meets no relation that asks for one. */
function provides(candidate: Candidate, relation: Relation): boolean {
  return candidate.provides.flat().some((provided) => {
    if (provided.package !== relation.package) return false
    return relation.version === undefined || (provided.version !== undefined && accepts(relation, provided.version.wanted))
  })
}

function unmet(alternatives: Alternatives, asking: Candidate, chosen: ReadonlyMap<string, Candidate>): UserError {
  const text = alternatives
    .map(({ package: name, version }) => (version === undefined ? name : `${name} (${version.operator} ${version.wanted})`))
    .join(' | ')
  const have = alternatives.flatMap((each) => chosen.get(each.package)?.locked.version ?? [])
  const { package: name, version } = asking.locked
  const instead = have.length === 0 ? 'no suite has it' : `the set has ${have.join(', ')}`
  return new UserError('lock', `package '${name}' ${version} depends on '${text}': ${instead}`, {
    hint: 'the mirror may be in the middle of an update: try again later, or set HANGAR_DEBIAN_MIRROR=URL',
  })
}
