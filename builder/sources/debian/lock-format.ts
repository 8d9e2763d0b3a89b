import type { Toolchain } from '../../../images/derivation.ts'
import { EMPTY_LOCK, type Lock, type LockedPackage, lockedPackages, lockText, parseLock } from '../../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../../images/package-set.ts'
import type { LockFormat } from '../source.ts'

/** The format of `images/debian.lock.json`: package sets, each for one architecture. */
export const DEBIAN_LOCK: LockFormat<ArchitectureSet, Lock, LockedPackage> = {
  name: 'debian',
  lockFile: 'images/debian.lock.json',
  empty: EMPTY_LOCK,
  parse: parseLock,
  text: lockText,
  time: ({ time }) => time,
  nameOf: setKey,
  names: ({ sets }) => Object.keys(sets),
  locked: lockedPackages,
  files: ({ packages }) => Object.values(packages),
  toolchains: ({ sets, packages }) =>
    Object.entries(sets).map(([key, set]) => {
      const [name = '', architecture] = key.split(':') as [string, Toolchain['architecture']]
      return { name, architecture, packages: set.packages.flatMap((each) => packages[each] ?? []) }
    }),
}
