import type { Architecture } from '../../../../images/architecture.ts'
import { compareVersions, withoutRebuild } from '../../../../images/debian/version.ts'
import type { ArchitectureSet } from '../../../../images/package-set.ts'
import type { Resolved } from './sets.ts'

/**
 * Finds the sets that have an older version of a package than the set with the same name for the other architecture. A
 * root needs the same versions on both. Returns these sets, and adds the newer versions to `agreed`. Requests each
 * version only once, because the archive may not have built it for every architecture yet.
 */
export function setsBehind(
  sets: readonly Resolved[],
  agreed: Map<Architecture, Map<string, string>>,
): ArchitectureSet[] {
  const behind = sets.filter((each) => {
    const pins = agreed.get(each.wanted.architecture) ?? new Map<string, string>()
    agreed.set(each.wanted.architecture, pins)
    const newer = newerVersions(each, sets).filter(({ name, version }) => pins.get(name) !== version)
    for (const { name, version } of newer) pins.set(name, version)
    return newer.length > 0
  })
  return behind.map(({ wanted }) => wanted)
}

function newerVersions({ wanted, packages }: Resolved, sets: readonly Resolved[]) {
  const own = new Map(packages.map((item) => [item.package, item.version]))
  return sets
    .filter((other) => other.wanted.set.name === wanted.set.name && other.wanted.architecture !== wanted.architecture)
    .flatMap((other) => other.packages)
    .map((item) => ({ name: item.package, version: item.version }))
    .filter(({ name, version }) => isOlder(own.get(name), version))
}

function isOlder(own: string | undefined, other: string): boolean {
  return own !== undefined && compareVersions(withoutRebuild(own), withoutRebuild(other)) < 0
}
