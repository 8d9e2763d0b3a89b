import type { Slot } from '../images/names.ts'
import type { Progress } from '../lib/reporter.ts'
import type { Clock } from './clock.ts'
import type { Goal } from './goal.ts'
import { inspect, performAll, type StepTime } from './perform.ts'
import type { OwnIdentity, StepDescription, Target } from './targets/target.ts'

export interface UpdateJob<Artifact = unknown> {
  readonly target: Target<Artifact>
  /** The host's image, opened by the driver of its target. */
  readonly artifact: Artifact
  readonly identity: OwnIdentity
  readonly goal: Goal
  readonly clock: Clock
  readonly progress: Progress
}

export type Updated =
  | { readonly kind: 'nothing'; readonly slot: Slot; readonly root: string }
  /** The host had the image, but not all of its own keys. */
  | ({ readonly kind: 'renewed' } & Done)
  /** `downtime`: seconds from the restart until the host was healthy. */
  | ({ readonly kind: 'updated'; readonly downtime: number } & Done)
  | ({ readonly kind: 'staged' } & Done)

interface Done {
  readonly slot: Slot
  readonly root: string
  /** Bytes, compressed. */
  readonly sent: number
  readonly times: readonly StepTime[]
  /** Seconds. */
  readonly total: number
}

/** Updates a host: writes the inactive slot, boots it on trial, and commits it when it is healthy. */
export async function update({ target, goal, artifact, identity, clock, progress }: UpdateJob): Promise<Updated> {
  const begun = clock.now()
  const status = await inspect(target, progress)
  const planned = await target.plan(status, { kind: 'update', artifact, goal, identity })
  const { run, times } = await performAll(target, planned, clock)
  const { ending, slot, root, sent, downtime } = run
  if (ending === 'nothing') return { kind: ending, slot, root }
  const done = { slot, root, sent, times, total: (clock.now() - begun) / 1000 }
  if (ending === 'renewed' || ending === 'staged') return { kind: ending, ...done }
  if (downtime === undefined) throw new Error(`the plan of an update ends as '${ending}' without a trial`)
  return { kind: 'updated', downtime, ...done }
}

/** The steps that `update` would perform now. Nothing changes on the host. */
export async function dryRun({ target, goal, artifact, identity }: UpdateJob): Promise<readonly StepDescription[]> {
  const status = await target.status()
  const { steps } = await target.plan(status, { kind: 'update', artifact, goal, identity })
  return steps.map((step) => target.describe(step))
}
