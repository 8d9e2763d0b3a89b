import { UserError } from '../errors.ts'
import { type Architecture, debianArchitecture } from '../images/architecture.ts'
import type { LockedPackage } from '../images/lock.ts'
import type { LockedFile, SourceRequest } from '../images/locked-file.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import { TOOLCHAIN } from '../images/sets.ts'
import type { Reporter } from '../lib/reporter.ts'
import type { Locks } from './lock/locks.ts'
import { builderArchitecture } from './runners/architecture.ts'
import { parseRunner, type RunnerWish } from './runners/choice.ts'
import { chosenRunner } from './runners/chosen.ts'
import { offlineFetch } from './sources/offline.ts'
import { fetchFrom, openSources } from './sources/registry.ts'
import { openStore, storeRoot } from './store/directory.ts'
import type { StoreUse } from './store/leases.ts'

/** What a command is given by the outside. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv
  /** The project's own directory. */
  readonly project: string
  readonly reporter: Reporter
  readonly now: Date
  readonly signal: AbortSignal
  /** `--runner`; where it is not said, `HANGAR_RUNNER` says it for every command. */
  readonly runner?: string | undefined
}

export type BuildContext = Awaited<ReturnType<typeof openBuildContext>>

/** Whether what the store lacks may be fetched. */
export type Network = 'online' | 'offline'

/** The store, the sources and the runner, as the environment sets them. */
export async function openBuildContext(cliContext: CliContext, network: Network = 'online') {
  const { env, project, reporter, signal } = cliContext
  const store = await openStore(storeRoot(env))
  const sources = await openSources({ env, project })
  const fetch = network === 'offline' ? offlineFetch(store) : fetchFrom(sources, { store, reporter, signal })
  const wish = runnerWish(cliContext)
  const builder = builderArchitecture(machineArchitecture(), env, wish)
  return {
    ...cliContext,
    store,
    sources,
    fetch,
    builder,
    toolchain: { set: TOOLCHAIN, architecture: builder } satisfies ArchitectureSet,
    runner: chosenRunner({ store, fetch, signal, env, wish }),
  }
}

/** For `usingStore`: what is done, and that it may have to wait. */
export function storeUse(
  { store, reporter, signal }: Pick<BuildContext, 'store' | 'reporter' | 'signal'>,
  what: string,
) {
  const onWait = (who: string) => reporter.notice(`waiting: the store is in use by ${who}`)
  return { root: store.root, what, onWait, signal } satisfies StoreUse
}

function runnerWish({ runner, env }: CliContext): RunnerWish {
  if (runner !== undefined) return parseRunner(runner, '--runner')
  return parseRunner(env.HANGAR_RUNNER || 'auto', 'HANGAR_RUNNER')
}

/** The files that the locks have for a request; throws UserError when they have none. */
export function lockedIn(locks: Locks, wanted: ArchitectureSet): readonly LockedPackage[]
export function lockedIn(locks: Locks, wanted: SourceRequest): readonly LockedFile[]
export function lockedIn(locks: Locks, wanted: SourceRequest): readonly LockedFile[] {
  const files = locks.locked(wanted)
  if (files !== undefined) return files
  throw new UserError('lock', `the lock file has no entry for '${locks.nameOf(wanted)}'`, {
    hint: 'add it: npm run lock',
  })
}

/** Of the machine that this is; derivations may run on another. */
export function machineArchitecture(): Architecture {
  const architecture = debianArchitecture(process.arch)
  if (architecture !== undefined && process.platform === 'linux') return architecture
  throw new UserError('sandbox', `cannot build on ${process.platform} ${process.arch}: wanted Linux on x64 or arm64`, {
    hint: 'use a Linux machine, or a virtual machine with Debian 12',
  })
}
