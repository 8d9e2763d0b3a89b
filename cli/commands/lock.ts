import { type CliContext, openBuildContext, storeUse } from '../../builder/context.ts'
import type { HostPlan } from '../../builder/host-plan.ts'
import { relock } from '../../builder/lock/ensure.ts'
import { readLocks } from '../../builder/lock/locks.ts'
import { usingStore } from '../../builder/store/leases.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'

export interface LockCommand extends CliContext {
  readonly plans: readonly HostPlan[]
  /** Sets that no host names: programs of ours. */
  readonly tools: readonly ArchitectureSet['set'][]
  readonly mode: 'missing' | 'update'
}

/** Locks what every host and every tool needs, for builders of both architectures. */
export async function lockCommand(command: LockCommand): Promise<string> {
  const context = await openBuildContext(command)
  const builders = ['amd64', 'arm64'] as const
  const wanted = builders.flatMap((architecture) => [
    ...command.plans.flatMap((plan) => plan.sets(architecture)),
    ...command.tools.map((set) => ({ set, architecture })),
  ])
  const current = await readLocks(context.project, context.sources)
  const what = command.mode === 'update' ? 'moved forward' : 'locked'
  const lock = await usingStore(storeUse(context, 'lock'), () =>
    relock(context, wanted, current, { kind: command.mode }, what),
  )
  if (lock === current) return 'the lock answers for everything; to move it forward: npm run lock -- --update'
  return `${lock.files.length} packages in ${lock.names.length} sets`
}
