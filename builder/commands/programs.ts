import type { PackageSet } from '../../images/package-set.ts'
import { withLock } from '../lock/ensure.ts'
import { toolchainDirectory } from '../toolchain.ts'
import { lockedIn, openWorkshop, type Surroundings } from '../workshop.ts'

/** A directory with a set's packages unpacked for this machine, locked and fetched where need be. */
export async function unpackedPrograms(surroundings: Surroundings, set: PackageSet) {
  const workshop = await openWorkshop(surroundings)
  const architecture = workshop.builder
  const wanted = { set, architecture }
  return withLock(workshop, [wanted], undefined, async (lock) => {
    const toolchain = { name: set.name, architecture, packages: lockedIn(lock, wanted) }
    return {
      architecture,
      directory: await toolchainDirectory(toolchain, workshop.store, workshop.fetch, surroundings.reporter),
    }
  })
}
