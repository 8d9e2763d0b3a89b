import type { ArchitectureSet } from '../../images/package-set.ts'
import type { HostPlan } from '../host-plan.ts'
import { relock } from '../lock/ensure.ts'
import { readLock } from '../lock/file.ts'
import { usingStore } from '../store/users.ts'
import { openWorkshop, type Surroundings, storeUse } from '../workshop.ts'

export interface LockCommand extends Surroundings {
  readonly plans: readonly HostPlan[]
  /** Sets that no host names: programs of ours. */
  readonly tools: readonly ArchitectureSet['set'][]
  readonly mode: 'missing' | 'update'
}

/** Locks what every host and every tool needs, for builders of both architectures. */
export async function lockCommand(command: LockCommand): Promise<string> {
  const workshop = await openWorkshop(command)
  const builders = ['amd64', 'arm64'] as const
  const wanted = builders.flatMap((architecture) => [
    ...command.plans.flatMap((plan) => plan.sets(architecture)),
    ...command.tools.map((set) => ({ set, architecture })),
  ])
  const current = await readLock(workshop.lockFile)
  const what = command.mode === 'update' ? 'moved forward' : 'locked'
  const lock = await usingStore(storeUse(workshop, 'lock'), () =>
    relock(workshop, wanted, current, { kind: command.mode }, what),
  )
  if (lock === current) return 'the lock answers for everything; to move it forward: npm run lock -- --update'
  return `${Object.keys(lock.packages).length} packages in ${Object.keys(lock.sets).length} sets`
}
