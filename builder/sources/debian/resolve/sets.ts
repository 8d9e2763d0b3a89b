import type { Architecture } from '../../../../images/architecture.ts'
import { type Lock, type LockedPackage, type LockedSet, lockedPackages, packageKey } from '../../../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import type { Release } from '../archive/release.ts'
import { suiteKey } from '../archive/suites.ts'

/** The wanted sets that have no entry in the lock, or an entry for an older form of the set. */
export function unanswered(wanted: readonly ArchitectureSet[], lock: Lock): ArchitectureSet[] {
  return wanted.filter((each) => lockedPackages(lock, each) === undefined)
}

/**
 * The request of a locked set, to resolve the set again. Sets of other hosts need this if they share packages with a
 * changed set.
 */
export function setOf(key: string, { request, essential, assumed }: LockedSet): ArchitectureSet {
  const colon = key.lastIndexOf(':')
  return {
    set: { name: key.slice(0, colon), request, essential, assumed },
    architecture: key.slice(colon + 1) as Architecture,
  }
}

/** A package set and the packages that the solver chose for it. */
export interface Resolved {
  readonly wanted: ArchitectureSet
  readonly packages: readonly LockedPackage[]
}

/** The sets of a lock by their keys. Leaves out sets whose packages are not all in the lock. */
export function resolvedSets(lock: Lock): Map<string, Resolved> {
  const sets = new Map<string, Resolved>()
  for (const [key, set] of Object.entries(lock.sets)) {
    const wanted = setOf(key, set)
    const packages = lockedPackages(lock, wanted)
    if (packages !== undefined) sets.set(setKey(wanted), { wanted, packages })
  }
  return sets
}

/** Makes the lock of these sets. The time of the lock is the date of the newest release. */
export function lockOf(sets: ReadonlyMap<string, Resolved>, releases: readonly Release[]): Lock {
  const packages = [...sets.values()].flatMap((each) => each.packages)
  return {
    format: 1,
    time: Math.max(...releases.map(({ time }) => time)),
    releases: Object.fromEntries(releases.map(({ suite, date }) => [suiteKey(suite), date])),
    sets: Object.fromEntries([...sets].map(([key, each]) => [key, lockedSet(each)])),
    packages: Object.fromEntries(packages.map((item) => [packageKey(item), item])),
  }
}

function lockedSet({ wanted: { set }, packages }: Resolved): LockedSet {
  const { request, essential, assumed } = set
  return { request: [...request], essential, assumed: [...assumed], packages: packages.map(packageKey).sort() }
}
