import { UserError } from '../../errors.ts'
import type { Privilege } from '../../images/derivation.ts'
import { ProgramError } from '../../lib/program-error.ts'
import { type Finished, run } from '../../lib/subprocess.ts'

/** One command in a sandbox. Directories are absolute paths on this machine. */
export interface Sandbox {
  /** The directory of the read-only root file system. */
  readonly toolchain: string
  /** The directory with the inputs, mounted read-only at `/in`. */
  readonly inputs: string
  /** The output directory, mounted at `/out`. Only its files remain after the command. */
  readonly output: string
  /** An empty directory for the sandbox's own mounts. */
  readonly work: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly privilege: Privilege
  readonly log: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Docker's default capabilities. A derivation that needs more must declare this, because it would fail in an engine.
 */
const DOCKER_CAPABILITIES =
  'chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap'

/**
 * The name of the machine that commands see. Maintainer scripts write it into files, so it is the one that is right on
 * every host.
 */
const MACHINE_NAME = 'localhost'

/** Sets the name in a namespace of its own. In a user namespace, only the program `hostname` can. */
const NAME_MACHINE = `hostname ${MACHINE_NAME} 2>/dev/null || echo ${MACHINE_NAME} >/proc/sys/kernel/hostname`

// The toolchain is the lower layer of an overlay with its upper layer in memory: a command can write anywhere, and nothing
// remains. /build is memory too, because maintainer scripts and dpkg call fsync often. In a user namespace the kernel lets
// a command mount /proc and /sys only when both are mounted already, and makes /sys read-only only by a remount.
// The options of the overlay name relative paths, because overlayfs splits a path at ',' and ':'.
const SETUP = `
set -eu
umask 022
${NAME_MACHINE}
mount -t tmpfs -o mode=0755 sandbox "$WORK"
cd "$WORK"
mkdir lower upper work root
mount --bind "$TOOLCHAIN" lower
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work toolchain root
cd root
mkdir -p in out build tmp proc sys dev old
mount --bind "$INPUTS" in
mount -o remount,bind,ro in
mount --bind "$OUTPUT" out
mount -t tmpfs -o mode=0755,size=90% build build
mount -t tmpfs -o mode=1777 tmp tmp
mount -t proc proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -o remount,bind,ro sys
mount -t tmpfs -o mode=0755 dev dev
for node in null zero full random urandom tty; do : > dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/shm
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s /proc/self/fd dev/fd
pivot_root . old
cd /build
umount -l /old
exec "$@"
`

/** Runs the command without a network, in its own namespaces, and with only the capabilities of its privilege. */
export async function runSandboxed(sandbox: Sandbox): Promise<Finished> {
  const { command, env, privilege, log, signal } = sandbox
  return run(
    'setpriv',
    [
      ...DIES_WITH_PARENT,
      'unshare',
      ...NAMESPACES,
      'sh',
      '-c',
      SETUP,
      'sandbox',
      ...restrict(privilege),
      ...insideEnv(env),
      ...command,
    ],
    {
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        TOOLCHAIN: sandbox.toolchain,
        INPUTS: sandbox.inputs,
        OUTPUT: sandbox.output,
        WORK: sandbox.work,
      },
      log,
      signal,
    },
  )
}

/**
 * Stops the command if this program is killed: otherwise the command would use processors and memory of the next build.
 */
export const DIES_WITH_PARENT = ['--pdeathsig', 'KILL']

export const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--ipc', '--uts']

export function restrict(privilege: Privilege): string[] {
  if (privilege === 'all') return []
  const kept = DOCKER_CAPABILITIES.split(' ').map((name) => `+${name}`)
  return ['setpriv', `--bounding-set=${['-all', ...kept].join(',')}`, '--inh-caps=-all', '--']
}

/** `env` and its arguments, which set the whole environment of a command. It is the same on every runner. */
export function insideEnv(env: Readonly<Record<string, string>>): string[] {
  const fixed = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/build', LC_ALL: 'C', TZ: 'UTC' }
  return ['env', '-i', ...Object.entries({ ...fixed, ...env }).map(([key, value]) => `${key}=${value}`)]
}

type Probe = (program: string, args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Finished>

const onThisMachine: Probe = (program, args, env) =>
  run(program, args, { env }).catch((error) => {
    if (error instanceof ProgramError) return { exitCode: 127, output: messageOf(error.cause) }
    throw error
  })

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Tries the namespaces and mounts that a sandbox needs. Throws 'sandbox' with a hint if one of them fails. */
export async function checkSandbox(directory: string, probe: Probe = onThisMachine, uid = process.getuid?.()) {
  const { exitCode, output } = await probe('unshare', [...NAMESPACES, 'sh', '-c', TRY, 'probe', directory], {
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  })
  if (exitCode === 0) return
  const problem = output.trim().split('\n').at(-1) ?? ''
  throw new UserError('sandbox', `cannot create a sandbox on this machine: ${problem}`, { hint: hintFor(problem, uid) })
}

const TRY = `set -e; ${NAME_MACHINE}; mount -t tmpfs probe "$1"; cd "$1"; mkdir l u w m
mount -t overlay -o lowerdir=l,upperdir=u,workdir=w probe m`

function hintFor(problem: string, uid: number | undefined): string {
  if (/hostname/.test(problem)) return 'install the program hostname: apt-get install hostname'
  if (/ENOENT/.test(problem)) return 'install util-linux: apt-get install util-linux'
  if (uid !== 0) return 'run it as root: sudo --preserve-env=HOME npm run build:image HOST'
  if (/overlay|unknown filesystem/.test(problem)) return 'the kernel lacks overlayfs: modprobe overlay'
  return 'start this container with the right to mount: docker run --privileged …, or build outside of a container'
}
