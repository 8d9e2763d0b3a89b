import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject } from 'vitest'
import { TRIAL_SECONDS } from '../../flash/goal.ts'
import { parseState, parseStatus } from '../../flash/ssh/answers.ts'
import type { DeviceStatus } from '../../flash/ssh/status.ts'
import { parseManifest } from '../../images/manifest.ts'
import { adama } from './adama.ts'
import { eventually } from './eventually.ts'
import { patience } from './machine-speed.ts'
import { copyProject, type Ended, projectDigest, runIn, type TemporaryProject, temporaryProject } from './project.ts'
import { type BootOptions, bootHost, ownerKey, type TestVm, vmPrograms } from './vm.ts'

/** Seconds for the first boot on two emulated cores that other programs also use. */
const BOOT_SECONDS = 900

/** A copy of the project with one host, and that host's disk, which was flashed by `hangar flash --disk`. */
export interface Lab {
  readonly directory: string
  readonly disk: string
  /** Runs a hangar command in the project, with any exit status. */
  hangar(...args: string[]): Promise<Ended>
  /** Runs a hangar command for the running machine. A flash gives its trial more time on a slow or busy machine. */
  onHost(vm: TestVm, verb: 'flash' | 'revert' | 'status', ...flags: string[]): Promise<Ended>
  /** Starts `hangar flash` for the running machine, and returns the process. */
  begin(vm: TestVm, ...flags: string[]): Promise<ChildProcess>
  /** Sets additional environment variables for the commands that follow. */
  setEnv(env: Readonly<Record<string, string>>): void
  /** Edits a source of the project. Throws an error if the edit changes nothing. */
  edit(path: string, from: string | RegExp, to: string): void
  /** Reverts all edits. */
  restore(): void
  /** Root hash of the last build. */
  built(): string
  /** Boots the machine from its disk, and waits until a login works. */
  boot(options?: Partial<BootOptions>): Promise<TestVm>
  /** Starts the machine, and does not wait. */
  start(options?: Partial<BootOptions>): Promise<TestVm>
  remove(): void
}

/**
 * `lean` has only the service that the tests use. The number of services does not change the result of an update, but an
 * emulated machine needs longer to start them. `prepare` edits the project before its first build.
 */
export async function makeLab(services: 'all' | 'lean' = 'all', prepare?: (lab: Lab) => void): Promise<Lab> {
  const lab = labIn(copyProject(), services)
  lab.restore()
  prepare?.(lab)
  await must(lab.hangar('init', 'adama'))
  await must(lab.hangar('build', 'adama'))
  await must(lab.hangar('flash', 'adama', '--no-build', '--disk', lab.disk, '--yes'))
  return lab
}

/**
 * Returns a lean lab and its machine, which runs slot a: committed, and with all services healthy. The first caller of a
 * run boots the machine and saves its state; each caller goes on from a copy of that state.
 */
export async function healthyLab(): Promise<{ readonly lab: Lab; readonly vm: TestVm }> {
  const state = join(inject('savedStates'), await stateKey())
  if (!existsSync(state)) await saveHealthy(state)
  const project = temporaryProject()
  await copyTree(join(state, PROJECT_COPY), project.directory)
  const lab = labIn(project, 'lean')
  await copyTree(join(state, DISK_COPY), lab.disk)
  const vm = await lab.boot({ savedState: state })
  // The guest's clock stood still since the state was saved.
  await vm.shell(`date -s @${Math.floor(Date.now() / 1000)}`)
  await healthy(vm)
  return { lab, vm }
}

const PROJECT_COPY = 'project'
const DISK_COPY = 'disk.img'

/**
 * The saved state depends on the sources, the locked QEMU and its arguments. The image also contains the owner's public
 * keys.
 */
async function stateKey(): Promise<string> {
  const { directory } = await vmPrograms()
  const keys = readFileSync(`${ownerKey()}.pub`)
  return createHash('sha256').update(`${projectDigest()} ${directory} ${process.version}\n`).update(keys).digest('hex')
}

async function saveHealthy(state: string): Promise<void> {
  const unfinished = `${state}.part`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished)
  const lab = await makeLab('lean')
  try {
    const vm = await lab.boot()
    try {
      await healthy(vm)
      await vm.save(unfinished)
    } finally {
      await vm.stop()
    }
    await copyTree(lab.disk, join(unfinished, DISK_COPY))
    await copyTree(lab.directory, join(unfinished, PROJECT_COPY))
    renameSync(unfinished, state)
  } finally {
    lab.remove()
  }
}

/** Copies a file or the contents of a directory, and keeps the holes of disk images. */
async function copyTree(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-aT', '--sparse=always', '--reflink=auto', from, to])
}

function labIn(project: TemporaryProject, services: 'all' | 'lean'): Lab {
  const disks = mkdtempSync(join(tmpdir(), 'hangar-lab-'))
  const { directory } = project
  const program = 'cli/hangar.mjs'
  let added: Readonly<Record<string, string>> = {}
  const env = () => ({ ...ownerEnvironment(), ...added })
  const hangar = (...args: string[]) => runIn({ cwd: directory, env: env() }, process.execPath, program, ...args)
  const at = (vm: TestVm) => ['adama', '--at', `127.0.0.1:${vm.ports.ssh}`]
  const start: Lab['start'] = (options = {}) => bootHost({ host: adama, disk: join(disks, 'disk.img'), ...options })
  return {
    directory,
    disk: join(disks, 'disk.img'),
    hangar,
    onHost: async (vm, verb, ...flags) =>
      hangar(verb, ...at(vm), ...(verb === 'flash' ? await withTrialTime(flags) : flags)),
    begin: async (vm, ...flags) =>
      spawn(process.execPath, [program, 'flash', ...at(vm), ...(await withTrialTime(flags))], {
        cwd: directory,
        env: { PATH: process.env.PATH, ...env() },
        stdio: 'ignore',
      }),
    setEnv: (given) => {
      added = given
    },
    edit: (path, from, to) => edit(join(directory, path), from, to),
    restore: () => restore(directory, services),
    built: () => {
      const path = join(directory, 'out/adama/manifest.json')
      return parseManifest(readFileSync(path, 'utf8'), path).slot.root
    },
    start,
    boot: async (options) => {
      const vm = await start(options)
      await vm.reachable(BOOT_SECONDS)
      return vm
    },
    remove: () => {
      project.remove()
      rmSync(disks, { recursive: true, force: true })
    },
  }
}

const LONGEST_TRIAL = 3600

/** Returns a deadline for `--trial-seconds`: the given one, or a longer one on a slow or busy machine. */
export async function trialSeconds(seconds: number): Promise<number> {
  return Math.min(LONGEST_TRIAL, await patience(seconds))
}

/** Adds `--trial-seconds` on a slow or busy machine, unless the test sets it itself. */
async function withTrialTime(flags: readonly string[]): Promise<readonly string[]> {
  if (flags.includes('--trial-seconds')) return flags
  const seconds = await trialSeconds(TRIAL_SECONDS)
  return seconds === TRIAL_SECONDS ? flags : [...flags, '--trial-seconds', `${seconds}`]
}

/** Uses the keys and the store of the user who runs the tests, so that the lab reuses their build. */
function ownerEnvironment(): Record<string, string> {
  const { env } = process
  return {
    HOME: homedir(),
    XDG_CONFIG_HOME: env.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
    ...(env.XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME: env.XDG_CACHE_HOME }),
    ...(env.HANGAR_STORE === undefined ? {} : { HANGAR_STORE: env.HANGAR_STORE }),
    ...(env.HANGAR_DEBIAN_MIRROR === undefined ? {} : { HANGAR_DEBIAN_MIRROR: env.HANGAR_DEBIAN_MIRROR }),
  }
}

/** Returns the stdout of a command. Throws an error if the command fails. */
export async function must(running: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await running
  if (code !== 0) throw new Error(`the command exited with ${code}:\n${stdout}${stderr}`)
  return stdout
}

function edit(path: string, from: string | RegExp, to: string): void {
  const before = readFileSync(path, 'utf8')
  const after = before.replace(from, () => to)
  if (after === before) throw new Error(`'${path}' does not contain ${String(from)}`)
  writeFileSync(path, after)
}

function restore(directory: string, services: 'all' | 'lean'): void {
  const here = new URL('../..', import.meta.url).pathname
  for (const name of ['images', 'overlays', 'flash'])
    cpSync(join(here, name), join(directory, name), { recursive: true })
  for (const name of ['hosts/adama.ts', 'hosts/lab.ts']) cpSync(join(here, name), join(directory, name))
  leaveAlone(join(directory, 'hosts'))
  if (services === 'lean') edit(join(directory, 'hosts/adama.ts'), / *(prometheus|alertmanager|caddy): .*\n/g, '')
}

/** Removes the other hosts from the lab, and what the lab expects of adama: a lean adama does not run every service. */
function leaveAlone(hosts: string): void {
  edit(join(hosts, 'lab.ts'), / *providers: .*\n/, '')
  const others = readdirSync(hosts).filter((name) => name.endsWith('.ts') && !['adama.ts', 'lab.ts'].includes(name))
  for (const name of others) rmSync(join(hosts, name))
}

/** Returns the status that the host's agent reports. */
export async function agentStatus(vm: TestVm): Promise<DeviceStatus> {
  return parseStatus('adama', await vm.shell('/usr/lib/hangar/agent status'))
}

/** Waits until all units have started and all services are healthy. It logs in rarely, because a login is expensive during a boot. */
export async function healthy(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    await vm.shell('timeout 60 systemctl is-system-running --wait || :')
    const answer = await vm.shell('/usr/lib/hangar/agent health')
    // A service may wait for a device that the emulated machine does not have.
    expect(JSON.parse(answer)).toMatchObject({ state: 'healthy' })
    return true
  }, seconds)
}

/** Waits until the host has committed its trial. */
export async function committed(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    const { state } = parseState('adama', await vm.shell('/usr/lib/hangar/agent state --wait 60'))
    return state === 'committed'
  }, seconds)
}

/** Waits until the firmware has started a kernel `times` times in total. */
export function started(vm: TestVm, times: number, seconds = 600): Promise<void> {
  return eventually(async () => vm.starts.length >= times, seconds)
}

/** Reboots the host by its agent, and waits until a login works. */
export async function reboot(vm: TestVm): Promise<void> {
  const before = vm.starts.length
  await vm.shell('/usr/lib/hangar/agent reboot')
  await started(vm, before + 1)
  await vm.reachable(BOOT_SECONDS)
}
