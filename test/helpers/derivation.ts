import type { Derivation } from '../../images/derivation.ts'
import { digestOf } from '../../images/digest.ts'
import type { LockedPackage } from '../../images/lock.ts'

/** A derivation with defaults for every field that a test does not set. */
export function derivation(given: Partial<Derivation> = {}): Derivation {
  return {
    name: 'some',
    system: 'amd64',
    toolchain: { name: 'none', architecture: 'amd64', packages: [] },
    inputs: {},
    command: ['true'],
    env: {},
    privilege: 'default',
    ...given,
  }
}

export function lockedPackage(name: string, given: Partial<LockedPackage> = {}): LockedPackage {
  return {
    archive: 'debian',
    suite: 'trixie',
    package: name,
    version: '1.0-1',
    architecture: 'arm64',
    path: `pool/main/${name}.deb`,
    size: 1,
    sha256: digestOf(name),
    ...given,
  }
}
