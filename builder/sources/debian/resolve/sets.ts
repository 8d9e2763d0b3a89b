import type { Architecture } from '../../../../images/architecture.ts'
import { type Lock, type LockedPackage, type LockedSet, lockedPackages, packageKey } from '../../../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import type { Release } from '../archive/release.ts'
import { suiteKey } from '../archive/suites.ts'

/** Those that the lock does not hold as they are asked for now. */
export function unanswered(wanted: readonly ArchitectureSet[], lock: Lock): ArchitectureSet[] {
  return wanted.filter((each) => lockedPackages(lock, each) === undefined)
}

/** A set of the lock as something to resolve again: a set that another host asked for moves too if it has to. */
export function setOf(key: string, { request, essential, assumed }: LockedSet): ArchitectureSet {
  const colon = key.lastIndexOf(':')
  return {
    set: { name: key.slice(0, colon), request, essential, assumed },
    architecture: key.slice(colon + 1) as Architecture,
  }
}

/** A set and its packages. */
export interface Resolved {
  readonly wanted: ArchitectureSet
  readonly packages: readonly LockedPackage[]
}

/** Every set of a lock by its key; a set whose packages the lock does not all have is none. */
export function resolvedSets(lock: Lock): Map<string, Resolved> {
  const sets = new Map<string, Resolved>()
  for (const [key, set] of Object.entries(lock.sets)) {
    const wanted = setOf(key, set)
    const packages = lockedPackages(lock, wanted)
    if (packages !== undefined) sets.set(setKey(wanted), { wanted, packages })
  }
  return sets
}

/** The lock that holds these sets; its time is the newest release's. */
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
