import { lockedIn, machineArchitecture, openBuildContext } from '../../builder/context.ts'
import { withLock } from '../../builder/lock/ensure.ts'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import type { ProgramRoot } from '../../flash/vm/program.ts'
import type { PackageSet } from '../../images/package-set.ts'
import { SCRIPT_ONLY } from '../../images/sets.ts'
import { withLockFile } from './own-lock.ts'
import { listReporter } from './reporter.ts'
import { PROJECT } from './toolchain.ts'

/** Programs that only tests use, and that a bare Debian does not have. */
const TESTING: PackageSet = {
  name: 'testing',
  request: [
    'age',
    ...['busybox-static', 'gcc', 'git', 'jq', 'libc6-dev', 'openssh-client', 'openssh-server', 'openssl', 'shellcheck'],
    'zstd',
  ],
  essential: 'left-out',
  // The tests use no perl scripts of git, no remote repositories, no PAM, and no service that systemd starts.
  assumed: [
    ...SCRIPT_ONLY,
    ...['default-logind', 'git-man', 'libcurl3t64-gnutls', 'liberror-perl', 'libexpat1', 'libnss-systemd'],
    ...['libpam-modules', 'libpam-runtime', 'libpam-systemd', 'openssh-sftp-server', 'openssl-provider-legacy'],
    ...[
      'procps',
      'runit-helper',
      'systemd',
      'libcc1-0',
      'libhwasan0',
      'libitm1',
      'liblsan0',
      'libquadmath0',
      'libtsan2',
    ],
  ],
}

/** The programs of the tests. They have their own lock, so that they do not change versions in the lock of the images. */
export function testPrograms(): Promise<ProgramRoot> {
  return lockedPrograms(TESTING)
}

/** A set of programs for tests, unpacked for this machine. */
export async function lockedPrograms(set: PackageSet): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  const cliContext = { env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }
  const context = await openBuildContext(cliContext)
  const { store, fetch, reporter } = context
  const architecture = machineArchitecture()
  const wanted = { set, architecture }
  const ownLock = withLockFile(context, 'test/programs.lock.json')
  const directory = await withLock(ownLock, [wanted], undefined, (lock) =>
    toolchainDirectory({ name: set.name, architecture, packages: lockedIn(lock, wanted) }, store, fetch, reporter),
  )
  return { directory, architecture }
}
