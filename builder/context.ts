import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { type Architecture, debianArchitecture } from '../images/architecture.ts'
import { type Lock, type LockedPackage, lockedPackages } from '../images/lock.ts'
import { type ArchitectureSet, setKey } from '../images/package-set.ts'
import { TOOLCHAIN } from '../images/sets.ts'
import type { Reporter } from '../lib/reporter.ts'
import { readLock } from './lock/file.ts'
import { builderArchitecture } from './runners/architecture.ts'
import { parseRunner, type RunnerSetting } from './runners/choice.ts'
import { chosenRunner } from './runners/chosen.ts'
import type { Runner } from './runners/runner.ts'
import { fetchObjects } from './sources/debian/archive/fetch.ts'
import { type Mirrors, mirrorsOf, readAptSources } from './sources/debian/archive/mirrors.ts'
import { offlineFetch } from './sources/debian/archive/offline.ts'
import { snapshots } from './sources/debian/archive/snapshot.ts'
import { openStore, storeRoot } from './store/directory.ts'
import type { StoreUse } from './store/leases.ts'
import type { Store } from './store/store.ts'
import type { Fetch } from './toolchain/toolchain.ts'

/** What the process gives every command. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv
  /** The project's directory. */
  readonly project: string
  readonly reporter: Reporter
  readonly now: Date
  readonly signal: AbortSignal
  /** The value of `--runner`. Without it, `HANGAR_RUNNER` decides. */
  readonly runner?: string | undefined
}

/** What the use cases of the builder work with. Modules that need less take a `Pick` of this type. */
export interface BuildContext extends Omit<CliContext, 'runner'> {
  readonly store: Store
  /** Servers of Debian's archives, in the order in which they are tried. */
  readonly mirrors: Mirrors
  /** Armored public keys of Debian's archives. */
  readonly keyring: () => string
  readonly lockFile: string
  /** Brings locked files into the store; offline, it throws when the store lacks one. */
  readonly fetch: Fetch
  /** The architecture of the machine that runs the derivations. */
  readonly builder: Architecture
  /** The package set with the programs that derivations run. */
  readonly toolchain: ArchitectureSet
  readonly runner: Runner
}

/** Whether hangar may fetch what the store lacks. */
export type Network = 'online' | 'offline'

/** Opens the store, the mirrors and the runner that the environment names. */
export async function openBuildContext(cliContext: CliContext, network: Network = 'online'): Promise<BuildContext> {
  const { env, project, reporter, signal, now } = cliContext
  const setting = runnerSetting(cliContext)
  const store = await openStore(storeRoot(env))
  const mirrors = mirrorsOf(env, await readAptSources())
  const lockFile = lockFileOf(project)
  const fetch =
    network === 'offline' ? offlineFetch(store) : await onlineFetch(cliContext, { store, mirrors, lockFile })
  const builder = builderArchitecture(machineArchitecture(), env, setting)
  const toolchain = { set: TOOLCHAIN, architecture: builder }
  const runner = chosenRunner({ store, fetch, signal, env, setting })
  const keyring = () => readKeyring(project)
  return { env, project, reporter, signal, now, store, mirrors, keyring, lockFile, fetch, builder, toolchain, runner }
}

function runnerSetting({ runner, env }: CliContext): RunnerSetting {
  if (runner !== undefined) return parseRunner(runner, '--runner')
  return parseRunner(env.HANGAR_RUNNER || 'auto', 'HANGAR_RUNNER')
}

async function onlineFetch(
  { reporter, signal }: CliContext,
  { store, mirrors, lockFile }: Pick<BuildContext, 'store' | 'mirrors' | 'lockFile'>,
): Promise<Fetch> {
  const { time } = await readLock(lockFile)
  const lastResort = snapshots(time)
  return (packages) => fetchObjects(packages, { store, mirrors, lastResort, reporter, signal })
}

function readKeyring(project: string): string {
  return readFileSync(join(project, 'images/keyrings/debian-archive.asc'), 'utf8')
}

/** For `usingStore`: names the use of the store, and tells the user when another use has to end first. */
export function storeUse(
  { store, reporter, signal }: Pick<BuildContext, 'store' | 'reporter' | 'signal'>,
  what: string,
): StoreUse {
  const onWait = (who: string) => reporter.notice(`waiting: the store is in use by ${who}`)
  return { root: store.root, what, onWait, signal }
}

export function lockFileOf(project: string): string {
  return join(project, 'images/debian.lock.json')
}

/** The packages that the lock has for a set; throws 'lock' when it has none. */
export function lockedIn(lock: Lock, wanted: ArchitectureSet): readonly LockedPackage[] {
  const packages = lockedPackages(lock, wanted)
  if (packages !== undefined) return packages
  throw new UserError('lock', `the lock file has no entry for '${setKey(wanted)}'`, { hint: 'add it: npm run lock' })
}

/** The architecture of this machine. A remote engine may run the derivations on another one. */
export function machineArchitecture(): Architecture {
  const architecture = debianArchitecture(process.arch)
  if (architecture !== undefined && process.platform === 'linux') return architecture
  throw new UserError('sandbox', `cannot build on ${process.platform} ${process.arch}, wanted Linux on x64 or arm64`, {
    hint: 'use a Linux machine, or a virtual machine with Debian 12',
  })
}
