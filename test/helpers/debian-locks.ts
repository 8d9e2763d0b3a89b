import { type Locks, locksOf } from '../../builder/lock/locks.ts'
import { DEBIAN_LOCK } from '../../builder/sources/debian/lock-format.ts'
import type { Lock } from '../../images/lock.ts'

/** The locks of a project that only locks Debian packages. */
export function debianLocks(lock: Lock): Locks {
  return locksOf([DEBIAN_LOCK], new Map([[DEBIAN_LOCK.name, lock]]))
}
