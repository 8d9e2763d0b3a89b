import type { ArchitectureSet } from '../../images/package-set.ts'
import { type CliContext, openBuildContext, storeUse } from '../context.ts'
import type { HostPlan } from '../host-plan.ts'
import { usingStore } from '../store/leases.ts'
import { relock } from './ensure.ts'
import { readLocks } from './locks.ts'

export interface LockRequest {
  readonly plans: readonly HostPlan[]
  /** Package sets of hangar's own programs, which no host file names. */
  readonly tools: readonly ArchitectureSet['set'][]
  /** `missing` adds entries and keeps all others; `update` resolves every entry to the newest version. */
  readonly mode: 'missing' | 'update'
}

export interface Locked {
  readonly outcome: 'changed' | 'unchanged'
  readonly packages: number
  readonly sets: number
}

/** Locks the packages of every host and tool, for builders of both architectures. */
export async function lockAll(cliContext: CliContext, { plans, tools, mode }: LockRequest): Promise<Locked> {
  const context = await openBuildContext(cliContext)
  const builders = ['amd64', 'arm64'] as const
  const wanted = builders.flatMap((architecture) => [
    ...plans.flatMap((plan) => plan.requests(architecture)),
    ...tools.map((set) => ({ set, architecture })),
  ])
  const current = await readLocks(context.project, context.sources, context.store)
  const what = mode === 'update' ? 'updated' : 'locked'
  const lock = await usingStore(storeUse(context, 'lock'), () => relock(context, wanted, current, { kind: mode }, what))
  return {
    outcome: lock.text === current.text ? 'unchanged' : 'changed',
    packages: lock.files.length,
    sets: lock.names.length,
  }
}
