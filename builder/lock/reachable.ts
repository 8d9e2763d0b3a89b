import type { Alternatives, Relation } from '../../images/debian/relation.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { assumedNames } from './assumed.ts'
import { type Candidate, type Catalogue, parseRequest } from './catalogue.ts'

/** Package -> the version that it has to be. */
export type Pins = ReadonlyMap<string, string>

/**
 * Every version of every package that a solver could come to from what a set asks for: all alternatives, all providers.
 * A few thousand of the archive's seventy thousand packages, so that apt reads them in no time, and a solution stays
 * good while the rest of the archive changes. Of a pinned package that version alone.
 */
export function reachable(set: PackageSet, catalogue: Catalogue, pins: Pins): Candidate[] {
  const assumed = assumedNames(set, catalogue)
  const found = new Map<string, readonly Candidate[]>()
  const queue = requestedNames(set, catalogue)
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name) || set.assumed.includes(name)) continue
    const candidates = pinned(catalogue.candidates(name), pins.get(name))
    found.set(name, candidates)
    for (const alternatives of candidates.flatMap(({ depends }) => depends)) {
      if (alternatives.some((relation) => assumed.has(relation.package))) continue
      for (const { package: needed } of alternatives) queue.push(needed, ...catalogue.providers(needed))
    }
  }
  return [...found.keys()].sort().flatMap((name) => found.get(name) ?? [])
}

/** What is handed to the solver: the request, and Essential packages where they come along. */
export function requestedNames(set: PackageSet, catalogue: Catalogue): string[] {
  const essential = set.essential === 'included' ? catalogue.essential() : []
  return [...set.request.map((request) => parseRequest(request).name), ...essential]
}

function pinned(candidates: readonly Candidate[], version: string | undefined): readonly Candidate[] {
  const wanted = candidates.filter(({ locked }) => locked.version === version)
  return wanted.length > 0 ? wanted : candidates
}
