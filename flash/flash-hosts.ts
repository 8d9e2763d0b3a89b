import { UserError } from '../errors.ts'
import { type Artifact, withArtifact } from './artifact.ts'
import type { Clock } from './clock.ts'
import type { Compress } from './compress.ts'
import type { Goal } from './goal.ts'
import { keysToBring, type OwnIdentity, withIdentity } from './identity.ts'
import { planUpdate, type Step } from './plan.ts'
import type { Progress } from './progress.ts'
import type { Connect, Target } from './ssh/connect.ts'
import { type Updated, update } from './update.ts'

export interface FlashTarget extends Target {
  /** `out/HOST`, the output directory of the build. */
  readonly output: string
  readonly identity: OwnIdentity
}

export interface FlashRequest {
  readonly targets: readonly FlashTarget[]
  readonly goal: Goal
  readonly mode: 'run' | 'dry-run'
  /** Builds the image of a host. Every image is built before the first host is touched. */
  readonly build: (host: string) => Promise<void>
  /** Receives the result of each host as soon as it is known: a later host may fail. */
  readonly onResult: (result: FlashResult) => void
  readonly connect: Connect
  readonly compress: Compress
  readonly progress: Progress
  readonly clock: Clock
  readonly newId: () => string
}

export type FlashResult =
  | { readonly host: string; readonly mode: 'run'; readonly updated: Updated }
  | { readonly host: string; readonly mode: 'dry-run'; readonly steps: readonly Step[] }

/** Updates hosts to their images, one after another. Stops at the first host that fails. */
export async function flashHosts(request: FlashRequest): Promise<void> {
  const { targets } = request
  for (const { host } of targets) await request.build(host)
  for (const [index, target] of targets.entries()) {
    const result = await flashOne(request, target).catch((error) => {
      throw withUntried(error, targets.slice(index + 1))
    })
    request.onResult(result)
  }
}

function flashOne(request: FlashRequest, target: FlashTarget): Promise<FlashResult> {
  const { host, output, identity } = target
  return withArtifact(host, output, async (artifact) => {
    requireOwnImage(host, output, artifact)
    const { newId, mode, connect, ...job } = request
    if (mode === 'dry-run') return { host, mode, steps: await planOnly(request, target, artifact) }
    const updated = await connect(target, (agent) => update({ ...job, agent, artifact, identity, id: newId() }))
    return { host, mode, updated }
  })
}

async function planOnly({ connect, goal, progress }: FlashRequest, target: FlashTarget, artifact: Artifact) {
  const status = await connect(target, (agent) => agent.status())
  const planned = planUpdate(status, artifact, goal)
  return withIdentity(await keysToBring(status, target.identity, progress), planned)
}

function requireOwnImage(host: string, output: string, { manifest }: Artifact): void {
  if (manifest.host === host) return
  throw new UserError('update', `'${output}' holds an image of '${manifest.host}', wanted an image of '${host}'`, {
    hint: `npm run build:image ${host}`,
  })
}

/** Adds the names of the hosts that were not updated. */
function withUntried(error: unknown, untried: readonly FlashTarget[]): unknown {
  if (!(error instanceof UserError) || untried.length === 0) return error
  const names = untried.map(({ host }) => `'${host}'`).join(', ')
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new UserError(error.code, `${error.message}; not tried: ${names}`, { ...hint, cause: error })
}
