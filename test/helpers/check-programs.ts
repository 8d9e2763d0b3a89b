import { lockedIn, openBuildContext } from '../../builder/context.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { SCRIPT_ONLY } from '../../images/sets.ts'
import { withLockFile } from './own-lock.ts'
import { listReporter } from './reporter.ts'
import { PROJECT } from './toolchain.ts'

/** Independent programs that read disks, to check this project's own readers. */
const CHECK: PackageSet = {
  name: 'check',
  request: ['btrfs-progs', 'cryptsetup-bin'],
  essential: 'left-out',
  // The tests use no legacy ciphers and no LVM.
  assumed: [...SCRIPT_ONLY, 'dmsetup', 'openssl-provider-legacy'],
}

/** btrfs-progs and veritysetup. They have their own lock, so that they do not change versions in the lock of the images. */
export async function checkPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  const cliContext = { env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }
  const context = await openBuildContext(cliContext)
  const { builder: architecture, store, fetch, reporter } = context
  const wanted = { set: CHECK, architecture }
  const ownLock = withLockFile(context, 'test/power-cut/check.lock.json')
  const directory = await withLock(ownLock, [wanted], undefined, (lock) =>
    toolchainDirectory({ name: CHECK.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
  )
  return { directory, architecture }
}
