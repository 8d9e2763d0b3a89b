import { UserError } from '../errors.ts'
import type { Progress } from '../lib/reporter.ts'
import type { Clock } from './clock.ts'
import type { Connect, KnownHost } from './controller.ts'
import type { Goal } from './goal.ts'
import type { OwnIdentity, StepDescription } from './targets/target.ts'
import { dryRun, type Updated, update } from './update.ts'

export interface FlashTarget extends KnownHost {
  /** The output directory of the build: `out/HOST`. */
  readonly output: string
  readonly identity: OwnIdentity
}

export interface FlashRequest {
  readonly targets: readonly FlashTarget[]
  readonly goal: Goal
  readonly mode: 'run' | 'dry-run'
  /** Builds the images of hosts. hangar builds every image before it changes the first host. */
  readonly build: (hosts: readonly string[]) => Promise<void>
  /** Receives the result of each host immediately, because a later host may fail. */
  readonly onResult: (result: FlashResult) => void
  readonly connect: Connect
  readonly progress: Progress
  readonly clock: Clock
}

export type FlashResult =
  | { readonly host: string; readonly mode: 'run'; readonly updated: Updated }
  | { readonly host: string; readonly mode: 'dry-run'; readonly steps: readonly StepDescription[] }

/** Updates hosts to their images, one after another. Stops at the first host that fails. */
export async function flashHosts(request: FlashRequest): Promise<void> {
  const { targets } = request
  await request.build(targets.map(({ host }) => host))
  for (const [index, target] of targets.entries()) {
    const result = await flashOne(request, target).catch((error) => {
      throw withUntried(error, targets.slice(index + 1))
    })
    request.onResult(result)
  }
}

function flashOne(request: FlashRequest, { output, identity, ...known }: FlashTarget): Promise<FlashResult> {
  const { connect, goal, clock, progress, mode } = request
  const { host, driver } = known
  return driver.withArtifact(host, output, (artifact) =>
    connect(known, async (target): Promise<FlashResult> => {
      const job = { target, artifact, identity, goal, clock, progress }
      return mode === 'dry-run' ? { host, mode, steps: await dryRun(job) } : { host, mode, updated: await update(job) }
    }),
  )
}

/** Adds the names of the remaining hosts to the error: hangar did not update them. */
function withUntried(error: unknown, untried: readonly FlashTarget[]): unknown {
  if (!(error instanceof UserError) || untried.length === 0) return error
  const names = untried.map(({ host }) => `'${host}'`).join(', ')
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new UserError(error.code, `${error.message}; not tried: ${names}`, { ...hint, cause: error })
}
