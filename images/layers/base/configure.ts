import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { EPOCH } from '../../reproducible.ts'
import { type Deb, databaseName, packageName } from '../parts/deb.ts'
import { exec } from '../parts/exec.ts'

const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  // Sets the date of the last password change, which shadow and systemd-sysusers write.
  SOURCE_DATE_EPOCH: String(EPOCH),
}

/**
 * Runs its arguments with a fixed machine name and umask. The sandbox has the same, but an engine of
 * Dagger gives its containers a name of its own. Scripts write the name into files, and `localhost` is right on every host.
 */
const ENTER = `hostname localhost 2>/dev/null || echo localhost >/proc/sys/kernel/hostname || exit
umask 022
exec "$@"`

function inRoot(root: string, command: readonly string[]): string[] {
  return ['--uts', 'chroot', root, 'sh', '-c', ENTER, 'sh', ...command]
}

/**
 * Options with which dpkg does not sync, does not ask about conffiles, and ignores dependencies that a package set
 * assumes.
 */
export const DPKG_FORCE = ['unsafe-io', 'confold', 'depends'] as const

/** Which scripts run: the `preinst` of some packages, and then `dpkg --configure` for others, or for all that are left. */
export interface Scripts {
  readonly preinst: readonly Deb[]
  readonly configure: readonly Deb[] | 'pending'
}

/**
 * Runs maintainer scripts of packages that have the state `unpacked` in `root`: each `preinst`, then
 * `dpkg --configure`, which orders packages by dependencies and runs triggers.
 */
export async function configure(root: string, scripts: Scripts): Promise<void> {
  await mountKernel(root)
  const policy = `${root}/usr/sbin/policy-rc.d`
  writeFileSync(policy, '#!/bin/sh\nexit 101\n')
  chmodSync(policy, 0o755)
  for (const deb of preinstOrder(scripts.preinst)) await runPreinst(root, deb)
  const packages = scripts.configure === 'pending' ? ['--pending'] : scripts.configure.map(databaseName)
  if (packages.length > 0) {
    const options = [`--force-${DPKG_FORCE.join(',')}`, '--configure']
    await exec('unshare', inRoot(root, ['dpkg', ...options, ...packages]), { env: ENVIRONMENT })
  }
  rmSync(policy)
  await exec('umount', ['-R', `${root}/proc`, `${root}/sys`, `${root}/dev`, `${root}/run`, `${root}/tmp`])
}

/** Throws if a mount fails: without it, the root would be different (systemd's scripts read /proc). */
async function mountKernel(root: string): Promise<void> {
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp']) mkdirSync(`${root}/${name}`, { recursive: true })
  await exec('mount', ['-t', 'proc', 'proc', `${root}/proc`])
  await exec('mount', ['-t', 'sysfs', '-o', 'ro', 'sysfs', `${root}/sys`])
  await exec('mount', ['--rbind', '/dev', `${root}/dev`])
  await exec('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'run', `${root}/run`])
  await exec('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmp', `${root}/tmp`])
}

/**
 * The order of the preinst scripts: base-passwd is first, because other scripts use the users and groups that it
 * creates.
 */
function preinstOrder(debs: readonly Deb[]): Deb[] {
  const rank = (deb: Deb) => ['base-passwd', 'base-files', 'libc6'].indexOf(packageName(deb)) >>> 0
  return debs
    .filter((deb) => deb.control.has('preinst'))
    .sort((a, b) => rank(a) - rank(b) || (packageName(a) < packageName(b) ? -1 : 1))
}

async function runPreinst(root: string, deb: Deb): Promise<void> {
  await exec('unshare', inRoot(root, [`/var/lib/dpkg/info/${databaseName(deb)}.preinst`, 'install']), {
    env: {
      ...ENVIRONMENT,
      DPKG_MAINTSCRIPT_NAME: 'preinst',
      DPKG_MAINTSCRIPT_PACKAGE: packageName(deb),
      DPKG_MAINTSCRIPT_ARCH: deb.fields.get('Architecture') ?? '',
      DPKG_ADMINDIR: '/var/lib/dpkg',
      DPKG_ROOT: '',
    },
  })
}
