import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseState, parseStatus } from '../../flash/ssh/answers.ts'
import type { DeviceStatus } from '../../flash/ssh/status.ts'
import { adama } from '../../hosts/adama.ts'
import { parseManifest } from '../../images/manifest.ts'
import { copyProject, type Ended, runIn } from './project.ts'
import { type BootOptions, bootHost, eventually, type TestVm } from './vm.ts'

/** Seconds for the first boot on two emulated cores that other programs also use. */
const BOOT_SECONDS = 900

/** A project with one host, and the host's disk, flashed with the command of a user. */
export interface Lab {
  readonly directory: string
  readonly disk: string
  /** Runs a command of hangar, and returns its status and output. */
  hangar(...args: string[]): Promise<Ended>
  /** Runs a command of hangar on the running machine. */
  onHost(vm: TestVm, verb: 'flash' | 'revert' | 'status', ...flags: string[]): Promise<Ended>
  /** Starts a flash that the test may kill. */
  begin(vm: TestVm, ...flags: string[]): ChildProcess
  /** Sets additional environment variables for later commands. */
  setEnv(env: Readonly<Record<string, string>>): void
  /** Edits a source of the project; throws when the text stays the same. */
  edit(path: string, from: string | RegExp, to: string): void
  /** Undoes every edit. */
  restore(): void
  /** Root hash of the last build. */
  built(): string
  /** Starts the machine on its disk, and waits until a login works. */
  boot(options?: Partial<BootOptions>): Promise<TestVm>
  /** Starts the machine without waiting. */
  start(options?: Partial<BootOptions>): Promise<TestVm>
  remove(): void
}

/**
 * `lean`: only the one of Adama's services that tests look at. The outcome of an update does not depend on the number of
 * services, but the boot time of an emulated machine does.
 */
export async function makeLab(services: 'all' | 'lean' = 'all'): Promise<Lab> {
  const project = copyProject()
  const disks = mkdtempSync(join(tmpdir(), 'hangar-lab-'))
  const { directory } = project
  const program = 'cli/hangar.mjs'
  let added: Readonly<Record<string, string>> = {}
  const env = () => ({ ...cliContext(), ...added })
  const hangar = (...args: string[]) => runIn({ cwd: directory, env: env() }, process.execPath, program, ...args)
  const at = (vm: TestVm) => ['adama', '--at', `127.0.0.1:${vm.ports.ssh}`]
  const start: Lab['start'] = (options = {}) => bootHost({ host: adama, disk: join(disks, 'disk.img'), ...options })
  const lab: Lab = {
    directory,
    disk: join(disks, 'disk.img'),
    hangar,
    onHost: (vm, verb, ...flags) => hangar(verb, ...at(vm), ...flags),
    begin: (vm, ...flags) =>
      spawn(process.execPath, [program, 'flash', ...at(vm), ...flags], {
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
  restore(directory, services)
  await must(hangar('init', 'adama'))
  await must(hangar('build', 'adama'))
  await must(hangar('flash', 'adama', '--no-build', '--disk', lab.disk, '--yes'))
  return lab
}

/** The keys and the store of the user who runs the tests, so that the image is the one that the user built. */
function cliContext(): Record<string, string> {
  const { env } = process
  return {
    HOME: homedir(),
    XDG_CONFIG_HOME: env.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
    ...(env.XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME: env.XDG_CACHE_HOME }),
    ...(env.HANGAR_STORE === undefined ? {} : { HANGAR_STORE: env.HANGAR_STORE }),
    ...(env.HANGAR_DEBIAN_MIRROR === undefined ? {} : { HANGAR_DEBIAN_MIRROR: env.HANGAR_DEBIAN_MIRROR }),
  }
}

/** The stdout of a command; throws when the command fails. */
export async function must(running: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await running
  if (code !== 0) throw new Error(`the command failed with status ${code}:\n${stdout}${stderr}`)
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
  const host = join(directory, 'hosts/adama.ts')
  cpSync(join(here, 'hosts/adama.ts'), host)
  if (services === 'lean') edit(host, / *(prometheus|alertmanager): .*\n/g, '')
}

/** The status that the agent of a host reports. */
export async function agentStatus(vm: TestVm): Promise<DeviceStatus> {
  return parseStatus('adama', await vm.shell('/usr/lib/hangar/agent status'))
}

/** Waits until every unit has started and every service is healthy, with one login: logins slow down a starting host. */
export async function healthy(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    await vm.shell('timeout 60 systemctl is-system-running --wait || :')
    const answer = await vm.shell('/usr/lib/hangar/agent health')
    expect(answer).toBe('{"state":"healthy"}')
    return true
  }, seconds)
}

/** Waits until the host has committed its trial. */
export async function committed(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    const { standing } = parseState('adama', await vm.shell('/usr/lib/hangar/agent state --wait 60'))
    return standing === 'committed'
  }, seconds)
}

/** Waits until the firmware has started a kernel `times` times in total. */
export function started(vm: TestVm, times: number, seconds = 600): Promise<void> {
  return eventually(async () => vm.starts.length >= times, seconds)
}

/** Reboots the host over ssh. */
export async function reboot(vm: TestVm): Promise<void> {
  const before = vm.starts.length
  await vm.shell('/usr/lib/hangar/agent reboot')
  await started(vm, before + 1)
  await vm.reachable(BOOT_SECONDS)
}
