import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { type Architecture, debianArchitecture } from '../images/architecture.ts'
import { type Lock, lockedPackages } from '../images/lock.ts'
import { type ArchitectureSet, setKey } from '../images/package-set.ts'
import { TOOLCHAIN } from '../images/sets.ts'
import type { Reporter } from '../lib/reporter.ts'
import { readLock } from './lock/file.ts'
import type { LockOptions } from './lock/lock.ts'
import { builderArchitecture } from './runners/architecture.ts'
import { parseRunner, type RunnerWish } from './runners/choice.ts'
import { chosenRunner } from './runners/chosen.ts'
import { fetchObjects } from './sources/debian/archive/fetch.ts'
import { mirrorsOf, readAptSources } from './sources/debian/archive/mirrors.ts'
import { offlineFetch } from './sources/debian/archive/offline.ts'
import { snapshots } from './sources/debian/archive/snapshot.ts'
import { openStore, storeRoot } from './store/directory.ts'
import type { StoreUse } from './store/leases.ts'
import type { Fetch } from './toolchain/toolchain.ts'

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

/** The store, the mirrors and the runner, as the environment sets them. */
export async function openBuildContext(cliContext: CliContext, network: Network = 'online') {
  const { env, project, reporter, signal } = cliContext
  const store = await openStore(storeRoot(env))
  const mirrors = mirrorsOf(env, await readAptSources())
  const lockFile = lockFileOf(project)
  const { time } = await readLock(lockFile)
  const online: Fetch = (packages) =>
    fetchObjects(packages, { store, mirrors, lastResort: snapshots(time), reporter, signal })
  const fetch = network === 'offline' ? offlineFetch(store) : online
  const wish = runnerWish(cliContext)
  const builder = builderArchitecture(machineArchitecture(), env, wish)
  return {
    ...cliContext,
    store,
    mirrors,
    lockFile,
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

export function lockFileOf(project: string): string {
  return join(project, 'images/debian.lock.json')
}

function runnerWish({ runner, env }: CliContext): RunnerWish {
  if (runner !== undefined) return parseRunner(runner, '--runner')
  return parseRunner(env.HANGAR_RUNNER || 'auto', 'HANGAR_RUNNER')
}

export function lockOptions(context: BuildContext): LockOptions {
  return { ...context, keyring: readFileSync(join(context.project, 'images/keyrings/debian-archive.asc'), 'utf8') }
}

/** The packages of a set that has been locked. */
export function lockedIn(lock: Lock, wanted: ArchitectureSet) {
  const packages = lockedPackages(lock, wanted)
  if (packages === undefined) {
    throw new UserError('lock', `the lock does not answer for '${setKey(wanted)}'`, {
      hint: 'resolve it: npm run lock',
    })
  }
  return packages
}

/** Of the machine that this is; derivations may run on another. */
export function machineArchitecture(): Architecture {
  const architecture = debianArchitecture(process.arch)
  if (architecture !== undefined && process.platform === 'linux') return architecture
  throw new UserError('sandbox', `cannot build on ${process.platform} ${process.arch}: wanted Linux on x64 or arm64`, {
    hint: 'use a Linux machine, or a virtual machine with Debian 12',
  })
}
