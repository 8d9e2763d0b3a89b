import { type CliContext, lockedIn, machineArchitecture, openBuildContext, storeUse } from '../builder/context.ts'
import { withLock } from '../builder/lock/ensure.ts'
import { keepPrograms, usingStore } from '../builder/store/leases.ts'
import { toolchainDirectory } from '../builder/toolchain/toolchain.ts'
import type { PackageSet } from '../images/package-set.ts'

/** Unpacks a set of locked programs for this machine; returns their directory and architecture. */
export async function unpackPrograms(cliContext: CliContext, set: PackageSet) {
  const context = await openBuildContext(cliContext)
  const { store, fetch, reporter } = context
  const architecture = machineArchitecture()
  const wanted = { set, architecture }
  return usingStore(storeUse(context, `unpacking of ${set.name}`), async () => {
    const directory = await withLock(context, [wanted], undefined, (lock) =>
      toolchainDirectory({ name: set.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
    )
    await keepPrograms(store.root, directory)
    return { directory, architecture }
  })
}
