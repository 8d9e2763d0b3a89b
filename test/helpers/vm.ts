import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unpackPrograms } from '../../cli/programs.ts'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { type Forward, startVm, type Vm, type VmHost, type VmOptions } from '../../flash/vm/vm.ts'
import { VM } from '../../images/sets.ts'
import { listReporter } from './reporter.ts'

const PROJECT = new URL('../..', import.meta.url).pathname

/** A command's end. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A booted machine that can be logged in to as its owner. */
export interface TestVm extends Vm {
  /** Runs a shell command as root; throws with what it said where it fails. */
  shell(command: string): Promise<string>
  /** Any use of the ssh client, whatever comes of it. `key` is a private key's path. */
  ssh(options: readonly string[], command?: string): Promise<Ran>
  /** Asks again until ssh answers after a boot. */
  reachable(seconds: number): Promise<void>
}

export interface BootOptions {
  readonly host: VmHost
  readonly image?: string
  readonly forwards?: readonly Forward[]
  readonly firmware?: VmOptions['firmware']
  /** A disk to go on with instead of a throw-away copy of the image; it is written to and kept. */
  readonly disk?: string
  readonly clock?: string
  readonly secondDisk?: string
  readonly writeLog?: string
}

/** The emulator and the ssh client, as `npm run vm` has them: locked anew where the archive has moved on. */
export function vmPrograms(): Promise<ProgramRoot> {
  const signal = new AbortController().signal
  return unpackPrograms({ env: process.env, project: PROJECT, reporter: listReporter(), now: new Date(), signal }, VM)
}

/** Where the build leaves a host's image. */
export function imagePath(host: string): string {
  return join(PROJECT, 'out', host, `${host}.img`)
}

/** The owner's private key for logins, which the build makes on first use. */
export function ownerKey(): string {
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'hangar', 'ssh_key')
}

/** Boots the host's image or a disk of its own; `ssh` is forwarded beside what is asked for. */
export async function bootHost(options: BootOptions): Promise<TestVm> {
  const { host, image = imagePath(host.name), forwards = [] } = options
  const disk = options.disk === undefined ? 'throw-away' : { path: options.disk }
  const programs = await vmPrograms()
  const all = [{ name: 'ssh', guestPort: 22, port: 22201 }, ...forwards]
  const vm = await startVm({ ...options, image, programs, forwards: all, disk })
  const ssh: TestVm['ssh'] = (given, command) => runSsh(programs, vm.ports.ssh ?? 0, given, command)
  const shell = async (command: string) => {
    const { code, stdout, stderr } = await ssh(['-i', ownerKey()], command)
    if (code !== 0) throw new Error(`'${command}' ended with ${code}:\n${stdout}${stderr}`)
    return stdout.trim()
  }
  const reachable = async (seconds: number) => {
    const answers = async () => (await ssh(['-i', ownerKey(), '-o', 'ConnectTimeout=10'], 'true')).code === 0
    const over = vm.ended.then((ending) => Promise.reject(new Error(`the machine ended: ${ending}`)))
    await Promise.race([eventually(answers, seconds), over]).catch((cause) => {
      throw new Error(`no login by ssh; the console's last lines:\n${vm.console.lastLines(40)}`, { cause })
    })
  }
  return Object.assign(vm, { ssh, shell, reachable })
}

/** Tries again, a second apart, until it is true; the last error, or plain lateness, where it never is. */
export async function eventually(check: () => Promise<boolean>, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  let last: unknown = new Error(`not so within ${seconds} s`)
  while (Date.now() < deadline) {
    try {
      if (await check()) return
    } catch (error) {
      last = error
    }
    await sleep(1000)
  }
  throw last
}

/** Runs one of the toolchain's programs. */
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

// Neither the configuration nor the known hosts of whoever runs the tests may decide anything.
const CLEAN = [
  ...['-F', 'none', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'GlobalKnownHostsFile=/dev/null'],
]

function runSsh(programs: ProgramRoot, port: number, options: readonly string[], command?: string): Promise<Ran> {
  const rest = command === undefined ? [] : ['--', command]
  return runProgram(programs, 'ssh', [...options, ...CLEAN, '-p', String(port), 'root@127.0.0.1', ...rest])
}
