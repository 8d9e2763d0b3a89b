import { UserError } from '../errors.ts'
import { type Architecture, debianArchitecture } from '../images/architecture.ts'
import type { LockedPackage } from '../images/lock.ts'
import type { LockedFile, SourceRequest } from '../images/locked-file.ts'
import type { NpmPackage, NpmRequest } from '../images/npm/npm-package.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import { TOOLCHAIN } from '../images/sets.ts'
import type { Reporter } from '../lib/reporter.ts'
import type { Locks } from './lock/locks.ts'
import { builderArchitecture } from './runners/architecture.ts'
import { parseRunner, type RunnerSetting } from './runners/choice.ts'
import { chosenRunner } from './runners/chosen.ts'
import type { Runner } from './runners/runner.ts'
import { offlineFetch } from './sources/offline.ts'
import { fetchFrom, openSources } from './sources/registry.ts'
import type { Source } from './sources/source.ts'
import { openStore, storeRoot } from './store/directory.ts'
import type { StoreUse } from './store/leases.ts'
import type { Store } from './store/store.ts'
import type { Fetch } from './toolchain/toolchain.ts'

/** The values that the process passes to every command. */
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

/**
 * The store, sources and runner that the builder's use cases need. Modules that need less take a `Pick` of this type.
 */
export interface BuildContext extends Omit<CliContext, 'runner'> {
  readonly store: Store
  /** The sources of locked files, with their settings. Each one has its own lock file. */
  readonly sources: readonly Source[]
  /**
   * Fetches locked files into the store. With `--offline` it fetches nothing, and throws when the store lacks a file.
   */
  readonly fetch: Fetch
  /** The architecture of the machine that runs the derivations. */
  readonly builder: Architecture
  /** The package set with the programs that derivations run. */
  readonly toolchain: ArchitectureSet
  readonly runner: Runner
}

/** Whether hangar may fetch what the store lacks. */
export type Network = 'online' | 'offline'

/** Opens the store, the sources and the runner that the environment names. */
export async function openBuildContext(cliContext: CliContext, network: Network = 'online'): Promise<BuildContext> {
  const { env, project, reporter, signal, now } = cliContext
  const setting = runnerSetting(cliContext)
  const store = await openStore(storeRoot(env))
  const sources = await openSources({ env, project, network })
  const fetch = network === 'offline' ? offlineFetch(store) : fetchFrom(sources, { store, reporter, signal })
  const builder = builderArchitecture(machineArchitecture(), env, setting)
  const toolchain = { set: TOOLCHAIN, architecture: builder }
  const runner = chosenRunner({ store, fetch, signal, env, setting })
  return { env, project, reporter, signal, now, store, sources, fetch, builder, toolchain, runner }
}

function runnerSetting({ runner, env }: CliContext): RunnerSetting {
  if (runner !== undefined) return parseRunner(runner, '--runner')
  return parseRunner(env.HANGAR_RUNNER || 'auto', 'HANGAR_RUNNER')
}

/** The argument of `usingStore`: names this use of the store, and tells the user while another process blocks it. */
export function storeUse(
  { store, reporter, signal }: Pick<BuildContext, 'store' | 'reporter' | 'signal'>,
  what: string,
): StoreUse {
  const onWait = (who: string) => reporter.notice(`waiting: the store is in use by ${who}`)
  return { root: store.root, what, onWait, signal }
}

/** The files that the lock files have for a request; throws 'lock' when no lock file has an entry for the request. */
export function lockedIn(locks: Locks, wanted: ArchitectureSet): readonly LockedPackage[]
export function lockedIn(locks: Locks, wanted: NpmRequest): readonly NpmPackage[]
export function lockedIn(locks: Locks, wanted: SourceRequest): readonly LockedFile[]
export function lockedIn(locks: Locks, wanted: SourceRequest): readonly LockedFile[] {
  const files = locks.locked(wanted)
  if (files !== undefined) return files
  throw new UserError('lock', `the lock file has no entry for '${locks.nameOf(wanted)}'`, {
    hint: 'add it: npm run lock',
  })
}

/** The architecture of this machine. A remote engine may run the derivations on another architecture. */
export function machineArchitecture(): Architecture {
  const architecture = debianArchitecture(process.arch)
  if (architecture !== undefined && process.platform === 'linux') return architecture
  throw new UserError('sandbox', `cannot build on ${process.platform} ${process.arch}, wanted Linux on x64 or arm64`, {
    hint: 'use a Linux machine, or a virtual machine with Debian 12',
  })
}
