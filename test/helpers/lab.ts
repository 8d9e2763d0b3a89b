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

/** The first boot of all on two emulated cores that others use too. */
const BOOT_SECONDS = 900

/** An owner's project with one host, and that host: a disk that was flashed as an owner does it. */
export interface Lab {
  readonly directory: string
  readonly disk: string
  /** Runs a command as its owner; any end. */
  hangar(...args: string[]): Promise<Ended>
  /** Flashes, reverts or asks the machine that runs. */
  onHost(vm: TestVm, verb: 'flash' | 'revert' | 'status', ...flags: string[]): Promise<Ended>
  /** Begins to flash; whoever calls may kill it. */
  begin(vm: TestVm, ...flags: string[]): ChildProcess
  /** What the owner's commands have in their environment from now on, beside the usual. */
  setEnv(env: Readonly<Record<string, string>>): void
  /** Edits a source of the project; the same text twice is an error. */
  edit(path: string, from: string | RegExp, to: string): void
  /** Undoes all edits. */
  restore(): void
  /** Root hash of what was built last. */
  built(): string
  /** Starts the machine on its disk, and waits until it can be logged in to. */
  boot(options?: Partial<BootOptions>): Promise<TestVm>
  /** The same, whatever becomes of it. */
  start(options?: Partial<BootOptions>): Promise<TestVm>
  remove(): void
}

/**
 * `lean`: of Adama's services only the one that tests look at. What becomes of an update does not hang on how many there are,
 * but how long an emulated machine takes to start them does.
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

/** The keys and the store of whoever runs the tests: the image is the one that they have built. */
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

/** A command that has to work. */
export async function must(running: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await running
  if (code !== 0) throw new Error(`ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

function edit(path: string, from: string | RegExp, to: string): void {
  const before = readFileSync(path, 'utf8')
  const after = before.replace(from, () => to)
  if (after === before) throw new Error(`'${path}' does not have ${String(from)}`)
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

/** What a host says of itself, by its own agent. */
export async function agentStatus(vm: TestVm): Promise<DeviceStatus> {
  return parseStatus('adama', await vm.shell('/usr/lib/hangar/agent status'))
}

/** Waits until every unit has started and every service is healthy. Each login costs a host that starts as much as a check. */
export async function healthy(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    await vm.shell('timeout 60 systemctl is-system-running --wait || :')
    const answer = await vm.shell('/usr/lib/hangar/agent health')
    expect(answer).toBe('{"state":"healthy"}')
    return true
  }, seconds)
}

/** Waits until a trial that commits itself has done so. */
export async function committed(vm: TestVm, seconds = 600): Promise<void> {
  await eventually(async () => {
    const { state } = parseState('adama', await vm.shell('/usr/lib/hangar/agent state --wait 60'))
    return state === 'committed'
  }, seconds)
}

/** Waits until the firmware has started a kernel so many times in all. */
export function started(vm: TestVm, times: number, seconds = 600): Promise<void> {
  return eventually(async () => vm.starts.length >= times, seconds)
}

/** As its owner does it, over ssh. */
export async function reboot(vm: TestVm): Promise<void> {
  const before = vm.starts.length
  await vm.shell('/usr/lib/hangar/agent reboot')
  await started(vm, before + 1)
  await vm.reachable(BOOT_SECONDS)
}
