/** Compares two versions by semantic versioning 2.0.0, section 11: negative if `a` is older than `b`. */
export function comparePackageVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)]
  for (const at of [0, 1, 2] as const) {
    const difference = (one.release[at] ?? 0) - (other.release[at] ?? 0)
    if (difference !== 0) return difference
  }
  return comparePrereleases(one.prerelease, other.prerelease)
}

function partsOf(version: string): { release: number[]; prerelease: string[] } {
  const [, release = '', prerelease] = /^v?([\d.]*)(?:-([^+]*))?/.exec(version) ?? []
  return { release: release.split('.').map(Number), prerelease: prerelease === undefined ? [] : prerelease.split('.') }
}

/** A release is newer than its prereleases. Numbers are older than words, and a longer list is newer. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = compareIdentifiers(a[at] ?? '', b[at] ?? '')
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function compareIdentifiers(a: string, b: string): number {
  const [numberA, numberB] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (numberA && numberB) return Number(a) - Number(b)
  if (numberA !== numberB) return numberA ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
