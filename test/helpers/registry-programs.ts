import { lockedIn, openBuildContext } from '../../builder/context.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { SCRIPT_ONLY } from '../../images/sets.ts'
import { withLockFile } from './own-lock.ts'
import { listReporter } from './reporter.ts'
import { PROJECT } from './toolchain.ts'

/** Tests run against the registry that Debian packages. */
const REGISTRY: PackageSet = {
  name: 'registry',
  request: ['docker-registry'],
  essential: 'left-out',
  assumed: [...SCRIPT_ONLY, 'gcc-14-base'],
}

/** Debian's docker-registry. It has its own lock, so that it does not change versions in the lock of the images. */
export async function registryPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  const cliContext = { env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }
  const context = await openBuildContext(cliContext)
  const { builder: architecture, store, fetch, reporter } = context
  const wanted = { set: REGISTRY, architecture }
  const ownLock = withLockFile(context, 'test/builder/publish/registry.lock.json')
  const directory = await withLock(ownLock, [wanted], undefined, (lock) =>
    toolchainDirectory({ name: REGISTRY.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
  )
  return { directory, architecture }
}
