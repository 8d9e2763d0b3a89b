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
  /** `verify slot b`. */
  readonly name: string
  /** The effect on the host. */
  readonly about?: string
  /** Bytes that the step sends at most, before compression; 0 if it sends none. */
  readonly atMost: number
  readonly services: 'run' | 'stop'
}

/** The state of the host when all steps are done; `nothing` if the plan has no steps. */
export type Ending = 'nothing' | 'renewed' | 'staged' | 'updated' | 'reverted' | 'trial-ended'

/** The facts of an update or a revert under way. Each phase takes a run and returns a new one. */
export interface Run<S extends Step = Step> {
  readonly ending: Ending
  /** The slot that runs, or only holds, the image at the end, and its root hash. */
  readonly slot: Slot
  readonly root: string
  /** The steps that are left, in order. The order is what makes an update safe. */
  readonly steps: readonly S[]
  /** Compressed bytes that were sent so far. */
  readonly sent: number
  /** Seconds between the restart and the end of the trial; undefined before that end. */
  readonly downtime: number | undefined
}

/** A host's keys as the repository has them. */
export interface OwnIdentity {
  /** The public halves; undefined if the host has no identity in the repository. */
  readonly known: PublicIdentity | undefined
  /** Reads the private halves for the agent; undefined if only the host has them. */
  readonly open: () => Promise<Uint8Array | undefined>
}

/** Whether a revert starts from today's data or from the data that the previous slot left. */
export type RevertData = 'carried' | 'as-was'

export type PlanRequest<Artifact> =
  | {
      readonly kind: 'update'
      readonly artifact: Artifact
      readonly goal: Goal
      readonly identity: OwnIdentity
    }
  | { readonly kind: 'revert'; readonly data: RevertData }

/** A way to reach one host, to update it and to revert it. `targets/NAME/` implements it for one platform. */
export interface Target<Artifact = unknown, R extends Run = Run> {
  readonly host: string
  status(): Promise<DeviceStatus>
  /** Decides which steps are needed and changes nothing on the host. Throws the reason if the host must stay as it is. */
  plan(status: DeviceStatus, request: PlanRequest<Artifact>): Promise<R>
  describe(step: R['steps'][number]): StepDescription
  /**
   * Carries out the first of the run's steps. Returns the run after it: the host's answer may add or remove steps.
   * An error states in what state the host is.
   */
  perform(run: R): Promise<R>
  /** Reads the host's data, for a backup. */
  snapshot?(): AsyncIterable<Uint8Array>
  /** Writes back the data that `snapshot` read. */
  restore?(data: AsyncIterable<Uint8Array>): Promise<void>
}

/** What a platform needs to reach a host. */
export interface TargetTools {
  readonly remote: Remote
  /** The controller's name in the lock of a host: `user@machine:project`. */
  readonly owner: string
  readonly clock: Clock
  readonly compress: Compress
  readonly progress: Progress
  /** Returns a new name for a trial; a host commits only the trial that the controller names. */
  newId(): string
}

/** One platform's row in `targets/registry.ts`. */
export interface TargetDriver<Artifact = unknown, R extends Run = Run> {
  /** Opens the image of `host` that a build left in `directory`, for as long as `use` takes. */
  withArtifact<T>(host: string, directory: string, use: (artifact: Artifact) => Promise<T>): Promise<T>
  open(tools: TargetTools): Target<Artifact, R>
}
