import { join } from 'node:path'
import { withLock } from '../../builder/lock/ensure.ts'
import { toolchainDirectory } from '../../builder/toolchain.ts'
import { lockedIn, openWorkshop } from '../../builder/workshop.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { SCRIPT_ONLY } from '../../images/sets.ts'
import { listReporter } from './reporter.ts'
import { PROJECT } from './toolchain.ts'

/** What others wrote to look into disks, beside this project's own readers. */
const CHECK: PackageSet = {
  name: 'check',
  request: ['btrfs-progs', 'cryptsetup-bin'],
  essential: 'left-out',
  // Nothing is encrypted with legacy ciphers, and no volume is kept by LVM.
  assumed: [...SCRIPT_ONLY, 'dmsetup', 'openssl-provider-legacy'],
}

/** btrfs-progs and veritysetup. Their lock is their own: in the images' it would move what it shares with them. */
export async function checkPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  const surroundings = { env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }
  const workshop = await openWorkshop(surroundings)
  const { builder: architecture, store, fetch, reporter } = workshop
  const wanted = { set: CHECK, architecture }
  const ownLock = { ...workshop, lockFile: join(PROJECT, 'test/power-cut/check.lock.json') }
  const directory = await withLock(ownLock, [wanted], undefined, (lock) =>
    toolchainDirectory({ name: CHECK.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
  )
  return { directory, architecture }
}
