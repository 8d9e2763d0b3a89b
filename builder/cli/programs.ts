import type { PackageSet } from '../../images/package-set.ts'
import { withLock } from '../lock/ensure.ts'
import { keepPrograms, usingStore } from '../store/users.ts'
import { toolchainDirectory } from '../toolchain.ts'
import { lockedIn, machineArchitecture, openWorkshop, type Surroundings, storeUse } from '../workshop.ts'

/** A set of locked programs unpacked for this machine: where, and for which architecture. */
export async function unpackPrograms(surroundings: Surroundings, set: PackageSet) {
  const workshop = await openWorkshop(surroundings)
  const { store, fetch, reporter } = workshop
  const architecture = machineArchitecture()
  const wanted = { set, architecture }
  return usingStore(storeUse(workshop, `unpacking of ${set.name}`), async () => {
    const directory = await withLock(workshop, [wanted], undefined, (lock) =>
      toolchainDirectory({ name: set.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
    )
    await keepPrograms(store.root, directory)
    return { directory, architecture }
  })
}
