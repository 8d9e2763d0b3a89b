import type { Progress } from '../../../lib/reporter.ts'
import type { Clock } from '../../clock.ts'
import type { Goal } from '../../goal.ts'
import type { Agent } from '../../ssh/agent.ts'
import type { DeviceStatus } from '../../ssh/status.ts'
import type { Compress } from '../../transfer/compress.ts'
import type { Run } from '../target.ts'
import type { Artifact } from './artifact.ts'
import type { PiStep, RevertStep, UpdateStep } from './step.ts'
import type { Watch } from './trial.ts'

/** The tools with which every phase reaches the host. */
export interface PiTools {
  readonly agent: Agent
  readonly clock: Clock
  readonly compress: Compress
  readonly progress: Progress
}

interface TrialRun<S extends PiStep> extends Run<S> {
  readonly before: DeviceStatus
  /** The name of the trial. */
  readonly id: string
  /** The time until the commit of the trial, in seconds of the host's own clock. */
  readonly trialSeconds: number
  /** The trial that the restart began; undefined before the restart. */
  readonly trial: StartedTrial | undefined
}

export interface StartedTrial {
  readonly watch: Watch
  /** The time at which the services stopped, in milliseconds of the controller's clock. */
  readonly downFrom: number
}

export interface UpdateRun extends TrialRun<UpdateStep> {
  readonly kind: 'update'
  readonly artifact: Artifact
  readonly goal: Goal
  /** The private keys to send; undefined if the host has all keys. */
  readonly keys: Uint8Array | undefined
}

export interface RevertRun extends TrialRun<RevertStep> {
  readonly kind: 'revert'
}

export type PiRun = UpdateRun | RevertRun
