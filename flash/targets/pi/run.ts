import type { Slot } from '../../../images/names.ts'
import type { Clock } from '../../clock.ts'
import type { Goal } from '../../goal.ts'
import type { Progress } from '../../progress.ts'
import type { Agent } from '../../ssh/agent.ts'
import type { DeviceStatus } from '../../ssh/status.ts'
import type { Compress } from '../../transfer/compress.ts'
import type { Artifact } from './artifact.ts'
import type { OwnIdentity } from './identity.ts'
import { otherSlot } from './plan.ts'
import type { Watch } from './trial.ts'

export interface UpdateJob {
  readonly agent: Agent
  readonly artifact: Artifact
  readonly identity: OwnIdentity
  readonly goal: Goal
  readonly progress: Progress
  readonly clock: Clock
  readonly compress: Compress
  /** A new trial's name. */
  readonly id: string
}

export interface StepTime {
  readonly name: string
  readonly seconds: number
}

/** An update under way: what it is about, and what is known of it so far. */
export interface Run extends UpdateJob {
  readonly before: DeviceStatus
  /** The keys that the host is brought. */
  readonly keys: Uint8Array | undefined
  readonly slot: Slot
  readonly root: string
  readonly times: StepTime[]
  /** Bytes on the wire. */
  sent: number
  watch: Watch | undefined
  /** When, on the clock, services stopped, and when all ran again. */
  downFrom: number | undefined
  upFrom: number | undefined
}

export function newRun(job: UpdateJob, before: DeviceStatus, keys: Uint8Array | undefined): Run {
  const target = { slot: otherSlot(before.slot), root: job.artifact.manifest.slot.root }
  return {
    ...job,
    ...target,
    before,
    keys,
    times: [],
    sent: 0,
    watch: undefined,
    downFrom: undefined,
    upFrom: undefined,
  }
}

export async function timed<T>({ times, clock }: Run, name: string, work: () => Promise<T>): Promise<T> {
  const begun = clock.now()
  const result = await work()
  times.push({ name, seconds: (clock.now() - begun) / 1000 })
  return result
}
