import { during, type Progress } from '../lib/reporter.ts'
import type { Clock } from './clock.ts'
import type { DeviceStatus } from './ssh/status.ts'
import type { Run, Target } from './targets/target.ts'

export interface StepTime {
  readonly name: string
  readonly seconds: number
}

export interface Performed {
  readonly run: Run
  /** The time of each step, in the order of the steps. */
  readonly times: readonly StepTime[]
}

export function inspect(target: Target, progress: Progress): Promise<DeviceStatus> {
  return during(progress, `ask ${target.host}`, () => target.status())
}

/** Performs the steps of a plan one after the other, and stops at the first error. */
export async function performAll(target: Target, planned: Run, clock: Clock): Promise<Performed> {
  let performed: Performed = { run: planned, times: [] }
  for (let [step] = planned.steps; step !== undefined; [step] = performed.run.steps) {
    const begun = clock.now()
    const run = await target.perform(performed.run)
    const time = { name: target.describe(step).name, seconds: (clock.now() - begun) / 1000 }
    performed = { run, times: [...performed.times, time] }
  }
  return performed
}
