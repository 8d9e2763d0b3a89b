import { type Derivation, dependencies, derivationDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import type { LockedFile } from '../../images/locked-file.ts'
import type { Store } from '../store/store.ts'

/**
 * The derivations that must run, dependencies first. Skips a derivation whose output is in the store, and its
 * dependencies.
 */
export function missingDerivations(wanted: readonly Derivation[], store: Store): Derivation[] {
  const found = new Map<Digest, Derivation>()
  const seen = new Set<Digest>()
  const visit = (derivation: Derivation) => {
    const digest = derivationDigest(derivation)
    if (seen.has(digest)) return
    seen.add(digest)
    if (store.output(digest) !== undefined) return
    dependencies(derivation).forEach(visit)
    found.set(digest, derivation)
  }
  wanted.forEach(visit)
  return [...found.values()]
}

/** The locked files that these derivations and their toolchains need and that the store lacks. */
export function missingPackages(derivations: readonly Derivation[], store: Store): LockedFile[] {
  const packages = new Map<Digest, LockedFile>()
  for (const { inputs, toolchain } of derivations) {
    for (const input of Object.values(inputs)) if ('locked' in input) packages.set(input.locked.sha256, input.locked)
    for (const item of toolchain.packages) packages.set(item.sha256, item)
  }
  return [...packages.values()].filter((item) => !store.has(item.sha256, item.size))
}
