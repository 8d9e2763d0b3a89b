import type { Slot } from '../images/names.ts'
import type { Progress } from '../lib/reporter.ts'
import type { Clock } from './clock.ts'
import { inspect, performAll } from './perform.ts'
import type { RevertData, Target } from './targets/target.ts'

export interface RevertJob {
  readonly target: Target
  readonly data: RevertData
  readonly clock: Clock
  readonly progress: Progress
  /** Receives the plan before the first step. */
  readonly onPlan?: (plan: RevertPlan) => void
}

export interface RevertPlan {
  /** The plan of a revert. `trial-ended`: slot `from` is on trial, and a restart ends this trial. */
  readonly kind: 'reverted' | 'trial-ended'
  readonly from: Slot
  readonly slot: Slot
  readonly root: string
  readonly data: RevertData
}

export interface Reverted extends RevertPlan {
  /** The time from the restart until the host was healthy, in seconds. */
  readonly downtime: number
}

/** Boots the previous slot on trial. The host commits the slot by itself when it is healthy. */
export async function revert({ target, data, clock, progress, onPlan }: RevertJob): Promise<Reverted> {
  const before = await inspect(target, progress)
  const planned = await target.plan(before, { kind: 'revert', data })
  const { ending, slot, root } = planned
  const kind = ending === 'trial-ended' ? ending : 'reverted'
  const plan: RevertPlan = { kind, from: before.slot, slot, root, data }
  onPlan?.(plan)
  const { downtime } = (await performAll(target, planned, clock)).run
  if (downtime === undefined) throw new Error(`the plan of a revert ends as '${ending}' without a restart`)
  return { ...plan, downtime }
}
