import type { PublicIdentity } from '../../images/identity/public-identity.ts'
import type { Slot } from '../../images/names.ts'
import type { Progress } from '../../lib/reporter.ts'
import type { Clock } from '../clock.ts'
import type { Goal } from '../goal.ts'
import type { Remote } from '../ssh/remote.ts'
import type { DeviceStatus } from '../ssh/status.ts'
import type { Compress } from '../transfer/compress.ts'

/** One action on a host. Each platform has its own kinds of steps. */
export interface Step {
  readonly kind: string
}

/** A step in words, for progress displays and `--dry-run`. */
export interface StepDescription {
  /** The name of the step: `verify slot b`. */
  readonly name: string
  /** The effect on the host. */
  readonly about?: string
  /** The largest number of bytes that the step sends, before compression; 0 if it sends nothing. */
  readonly atMost: number
  readonly services: 'run' | 'stop'
}

/** The state of the host when all steps are done; `nothing` if the plan has no steps. */
export type Ending = 'nothing' | 'renewed' | 'staged' | 'updated' | 'reverted' | 'trial-ended'

/** The progress of an update or a revert. Each phase takes a run and returns a new run. */
export interface Run<S extends Step = Step> {
  readonly ending: Ending
  /** The slot that has the image at the end. With `staged`, the host does not run this slot yet. */
  readonly slot: Slot
  readonly root: string
  /** The remaining steps, in order. The order makes an update safe against a power cut. */
  readonly steps: readonly S[]
  /** The number of bytes sent so far, after compression. */
  readonly sent: number
  /** The time between the restart and the end of the trial, in seconds; undefined before the trial ends. */
  readonly downtime: number | undefined
  /** The services of the healthy host that wait for a missing device, in words. */
  readonly waiting?: readonly string[]
}

/** The keys of a host that the project has in its repository. */
export interface OwnIdentity {
  /** The public halves of the keys; undefined if the host has no identity in the repository. */
  readonly known: PublicIdentity | undefined
  /** Reads the private halves for the agent; undefined if only the host has them. */
  readonly open: () => Promise<Uint8Array | undefined>
}

/** Whether a revert uses a copy of the current data, or the previous slot's own data from before the update. */
export type RevertData = 'carried' | 'as-was'

export type PlanRequest<Artifact> =
  | {
      readonly kind: 'update'
      readonly artifact: Artifact
      readonly goal: Goal
      readonly identity: OwnIdentity
    }
  | { readonly kind: 'revert'; readonly data: RevertData }

/** The operations on one host: status, update and revert. `targets/NAME/` implements them for one platform. */
export interface Target<Artifact = unknown, R extends Run = Run> {
  readonly host: string
  status(): Promise<DeviceStatus>
  /**
   * Decides which steps are necessary, and changes nothing on the host. Throws if hangar must not change the host, with
   * the reason.
   */
  plan(status: DeviceStatus, request: PlanRequest<Artifact>): Promise<R>
  describe(step: R['steps'][number]): StepDescription
  /**
   * Performs the first step of the run. Returns the run with the remaining steps; the host's answer may add or remove
   * steps. An error describes the state of the host.
   */
  perform(run: R): Promise<R>
  /** Reads the host's data, for a backup. */
  snapshot?(): AsyncIterable<Uint8Array>
  /** Writes back the data that `snapshot` read. */
  restore?(data: AsyncIterable<Uint8Array>): Promise<void>
}

/** The tools that a platform needs to reach a host. */
export interface TargetTools {
  readonly remote: Remote
  /**
   * The name of this controller in the update lock of a host: `user@machine:project`.
   */
  readonly owner: string
  readonly clock: Clock
  readonly compress: Compress
  readonly progress: Progress
  /** Returns a new name for a trial; a host commits only the trial that the controller names. */
  newId(): string
}

/** The driver of one platform, as `targets/registry.ts` lists it. */
export interface TargetDriver<Artifact = unknown, R extends Run = Run> {
  /** Opens the image of `host` that a build left in `directory`, for as long as `use` takes. */
  withArtifact<T>(host: string, directory: string, use: (artifact: Artifact) => Promise<T>): Promise<T>
  open(tools: TargetTools): Target<Artifact, R>
}
