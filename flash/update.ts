import type { Slot } from '../images/names.ts'
import type { Progress } from '../lib/reporter.ts'
import type { Clock } from './clock.ts'
import type { Goal } from './goal.ts'
import { inspect, performAll, type StepTime } from './perform.ts'
import type { OwnIdentity, StepDescription, Target } from './targets/target.ts'

export interface UpdateJob<Artifact = unknown> {
  readonly target: Target<Artifact>
  /** The open image of the host. The driver of the host's target opens it. */
  readonly artifact: Artifact
  readonly identity: OwnIdentity
  readonly goal: Goal
  readonly clock: Clock
  readonly progress: Progress
}

export type Updated =
  | { readonly kind: 'nothing'; readonly slot: Slot; readonly root: string }
  /** The host already had the image, and received only its new keys. */
  | ({ readonly kind: 'renewed' } & Done)
  /** The host runs the new image. `downtime` is the time from the restart until the host was healthy, in seconds. */
  | ({ readonly kind: 'updated'; readonly downtime: number; readonly waiting: readonly string[] } & Done)
  | ({ readonly kind: 'staged' } & Done)

interface Done {
  readonly slot: Slot
  readonly root: string
  /** The number of sent bytes, after compression. */
  readonly sent: number
  readonly times: readonly StepTime[]
  /** The total time, in seconds. */
  readonly total: number
}

/** Updates a host: writes the inactive slot, boots it on trial, and commits it when it is healthy. */
export async function update({ target, goal, artifact, identity, clock, progress }: UpdateJob): Promise<Updated> {
  const begun = clock.now()
  const status = await inspect(target, progress)
  const planned = await target.plan(status, { kind: 'update', artifact, goal, identity })
  const { run, times } = await performAll(target, planned, clock)
  const { ending, slot, root, sent, downtime, waiting = [] } = run
  if (ending === 'nothing') return { kind: ending, slot, root }
  const done = { slot, root, sent, times, total: (clock.now() - begun) / 1000 }
  if (ending === 'renewed' || ending === 'staged') return { kind: ending, ...done }
  if (downtime === undefined) throw new Error(`the plan of an update ends as '${ending}' without a trial`)
  return { kind: 'updated', downtime, waiting, ...done }
}

/** The steps that `update` would perform now. Changes nothing on the host. */
export async function dryRun({ target, goal, artifact, identity }: UpdateJob): Promise<readonly StepDescription[]> {
  const status = await target.status()
  const { steps } = await target.plan(status, { kind: 'update', artifact, goal, identity })
  return steps.map((step) => target.describe(step))
}
