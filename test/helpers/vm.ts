import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'
import { unpackPrograms } from '../../cli/programs.ts'
import { projectIdentity } from '../../cli/project-identity.ts'
import { startLab } from '../../flash/vm/lab.ts'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { type Forward, startVm, type Vm, type VmHost, type VmOptions } from '../../flash/vm/vm.ts'
import { VM } from '../../images/sets.ts'
import { eventually } from './eventually.ts'
import { patience } from './machine-speed.ts'
import { listReporter } from './reporter.ts'

const PROJECT = new URL('../..', import.meta.url).pathname

/** Exit status and output of a program. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A running machine to which the tests can log in as root with the owner's key. */
export interface TestVm extends Vm {
  /** Runs a shell command as root and returns its trimmed stdout. Throws an error with its output if it fails. */
  shell(command: string): Promise<string>
  /** Runs the ssh client with any options and any exit status. */
  ssh(options: readonly string[], command?: string): Promise<Ran>
  /** Waits until a login by ssh works, for longer than `seconds` if the machine of the tests is busy. */
  reachable(seconds: number): Promise<void>
}

export interface BootOptions {
  readonly host: VmHost
  readonly image?: string
  readonly forwards?: readonly Forward[]
  readonly firmware?: VmOptions['firmware']
  /** A disk image that the machine writes to. Default: a temporary copy of `image`. */
  readonly disk?: string
  readonly clock?: string
  readonly secondDisk?: string
  readonly writeLog?: string
  /** Directory of a saved state of the machine; `disk` must be a copy of the disk as it was then. */
  readonly savedState?: string
}

/** Returns the emulator and the ssh client of `npm run vm`. Locks newer packages if the archive has deleted the locked ones. */
export function vmPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  return unpackPrograms({ env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }, VM)
}

/** Returns the path of a host's built image, which `built-image.ts` has built. */
export function imagePath(host: string): string {
  return join(inject('project'), 'out', host, `${host}.img`)
}

/** Returns the path of the owner's private key for logins, which the first build creates. */
export function ownerKey(): string {
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'hangar', 'ssh_key')
}

/**
 * Starts a machine with the host's image or with `disk`. It forwards `ssh` and the given ports. A copy of the image gets the
 * identity of the host, if the project has one.
 */
export async function bootHost(options: BootOptions): Promise<TestVm> {
  const programs = await vmPrograms()
  return testVm(await startVm(await vmOptions(options, programs)), programs)
}

/**
 * Starts machines on one network, and returns them in the order of the hosts. The network ends with the last machine. Each
 * machine forwards `ssh` and the given ports.
 */
export async function bootLab<const Hosts extends readonly BootOptions[]>(
  hosts: Hosts,
): Promise<{ readonly [Index in keyof Hosts]: TestVm }> {
  const programs = await vmPrograms()
  const { machines } = await startLab(await Promise.all(hosts.map((each) => vmOptions(each, programs))))
  return machines.map((machine) => testVm(machine, programs)) as { [Index in keyof Hosts]: TestVm }
}

async function vmOptions(options: BootOptions, programs: ProgramRoot): Promise<VmOptions> {
  const { host, image = imagePath(host.name), forwards = [] } = options
  const disk = options.disk === undefined ? 'throw-away' : { path: options.disk }
  return {
    ...{ ...options, image, programs, disk, identity: await identityFor(host.name, image) },
    forwards: [{ name: 'ssh', guestPort: 22, port: 22201 }, ...forwards],
  }
}

/** The identity of a host in the project that built its image in `out/HOST`. */
function identityFor(host: string, image: string): Promise<VmOptions['identity']> {
  const project = dirname(dirname(dirname(image)))
  return projectIdentity({ env: process.env, project, reporter: listReporter() }, host)
}

function testVm(vm: Vm, programs: ProgramRoot): TestVm {
  const ssh: TestVm['ssh'] = (given, command) => runSsh(programs, vm.ports.ssh ?? 0, given, command)
  const shell = async (command: string) => {
    const { code, stdout, stderr } = await ssh(['-i', ownerKey()], command)
    if (code !== 0) throw new Error(`'${command}' exited with ${code}:\n${stdout}${stderr}`)
    return stdout.trim()
  }
  const reachable = async (seconds: number) => {
    const login = ['-i', ownerKey(), '-o', `ConnectTimeout=${await patience(10)}`]
    const answers = async () => (await ssh(login, 'true')).code === 0
    const over = vm.ended.then((ending) => Promise.reject(new Error(`the machine ended: ${ending}`)))
    await Promise.race([eventually(answers, seconds), over]).catch((cause) => {
      throw new Error(`no login by ssh; the console's last lines:\n${vm.console.lastLines(40)}`, { cause })
    })
  }
  return Object.assign(vm, { ssh, shell, reachable })
}

/** Runs a program of the toolchain. */
export function runProgram(programs: ProgramRoot, name: string, args: readonly string[]): Promise<Ran> {
  const { file, args: first, env } = programOf(programs, name)
  return new Promise((resolve) => {
    execFile(
      file,
      [...first, ...args],
      { env: { ...env, HOME: homedir() }, maxBuffer: 64 * 2 ** 20 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 255), stdout, stderr })
      },
    )
  })
}

// The client ignores the ssh configuration and the known hosts of the user who runs the tests.
const CLEAN = [
  ...['-F', 'none', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'GlobalKnownHostsFile=/dev/null'],
]

function runSsh(programs: ProgramRoot, port: number, options: readonly string[], command?: string): Promise<Ran> {
  const rest = command === undefined ? [] : ['--', command]
  return runProgram(programs, 'ssh', [...options, ...CLEAN, '-p', String(port), 'root@127.0.0.1', ...rest])
}
