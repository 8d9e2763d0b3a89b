import type { PackageSet } from '../../../../images/package-set.ts'
import { assumedNames, assumedPackages, type Candidate, type Catalogue, isAssumed, requestedBy } from './catalogue.ts'

/** Required versions: package name -> version. */
export type Pins = ReadonlyMap<string, string>

/**
 * Every version of every package that a solver could choose for a set, through all alternatives and providers. A pinned
 * package has only its pinned version. The result has a few hundred of the archive's seventy thousand packages. apt
 * reads these quickly, and hangar can reuse the solution while other packages change.
 */
export function reachable(set: PackageSet, catalogue: Catalogue, pins: Pins): Candidate[] {
  const assumed = assumedNames(set, catalogue)
  const leftOut = new Set(assumedPackages(set, catalogue))
  const found = new Map<string, readonly Candidate[]>()
  const queue = requestedBy(set, catalogue).map(({ candidate }) => candidate.locked.package)
  for (const name of queue) {
    if (found.has(name) || leftOut.has(name)) continue
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
