import type { PackageSet } from '../../../../images/package-set.ts'
import { assumedNames, isAssumed } from './assumed.ts'
import { type Candidate, type Catalogue, requestedBy } from './catalogue.ts'

/** Package -> the version that it has to be. */
export type Pins = ReadonlyMap<string, string>

/**
 * Every version of every package that a solver could come to from what a set asks for: all alternatives, all providers.
 * These are a few hundred of the archive's seventy thousand packages: apt reads them in no time, and a solution stays
 * good while the rest of the archive changes. Of a pinned package that version alone.
 */
export function reachable(set: PackageSet, catalogue: Catalogue, pins: Pins): Candidate[] {
  const assumed = assumedNames(set, catalogue)
  const found = new Map<string, readonly Candidate[]>()
  const queue = requestedBy(set, catalogue).map(({ candidate }) => candidate.locked.package)
  for (const name of queue) {
    if (found.has(name) || set.assumed.includes(name)) continue
    const candidates = pinned(catalogue.candidates(name), pins.get(name))
    found.set(name, candidates)
    for (const alternatives of candidates.flatMap(({ depends }) => depends)) {
      if (isAssumed(alternatives, assumed)) continue
      for (const { package: needed } of alternatives) queue.push(needed, ...catalogue.providers(needed))
    }
  }
  return [...found.keys()].sort().flatMap((name) => found.get(name) ?? [])
}

function pinned(candidates: readonly Candidate[], version: string | undefined): readonly Candidate[] {
  const wanted = candidates.filter(({ locked }) => locked.version === version)
  return wanted.length > 0 ? wanted : candidates
}
