import { UserError } from '../errors.ts'
import { type Digest, digestOf } from '../images/digest.ts'
import type { SourceRequest } from '../images/locked-file.ts'
import { readAssets } from './assets.ts'
import { certificatesFor } from './certificates/ensure.ts'
import { type Committed, ensureCommitted } from './committed.ts'
import { type BuildContext, lockedIn, storeUse } from './context.ts'
import { keepParts } from './generations/keep.ts'
import { MANIFEST } from './generations/parts.ts'
import { recordGeneration } from './generations/record.ts'
import type { HostPlan, PlannedImage } from './host-plan.ts'
import { type OwnerKeys, ownerKeys } from './keys/owner-keys.ts'
import { withLock } from './lock/ensure.ts'
import type { FrozenFlag } from './lock/frozen.ts'
import type { Locks } from './lock/locks.ts'
import type { Outcome } from './outputs/outputs.ts'
import { type Assembled, assemble } from './platforms/assemble.ts'
import { platformNamed } from './platforms/registry.ts'
import { type RealisedImages, realisedParts, realiseImages } from './realise-images.ts'
import { projectRevision } from './revision.ts'
import type { LabNeeds } from './secrets/lab-secrets.ts'
import type { StepTime } from './step-times.ts'
import { usingStore } from './store/leases.ts'

export interface HostRequest {
  readonly plan: HostPlan
  /** The output directory: `out/HOST`. */
  readonly output: string
}

export interface BuildRequest extends HostRequest {
  readonly frozen: FrozenFlag
}

export interface BuildAllRequest {
  readonly hosts: readonly HostRequest[]
  /** The secrets of the whole lab. Default: the lab has no other hosts than these. */
  readonly needs?: LabNeeds
  readonly frozen: FrozenFlag
}

export interface Built {
  /** The number of the generation in this store. */
  readonly generation: number
  readonly root: Digest
  /** The part of the slot that the image fills, in bytes. */
  readonly slotSize: number
  readonly layers: readonly { readonly name: string; readonly size: number; readonly made: StepTime }[]
  readonly outputs: Outcome
}

/** The result of one of several hosts. */
export type HostBuild =
  | { readonly host: string; readonly built: Built }
  | { readonly host: string; readonly error: UserError }

/** Builds the image of a host into its output directory, and records it as a generation. */
export async function build(context: BuildContext, { frozen, ...host }: BuildRequest): Promise<Built> {
  const [only] = await buildAll(context, { hosts: [host], frozen })
  if (only !== undefined && 'built' in only) return only.built
  throw only?.error
}

/**
 * Builds the images of several hosts like `build`. The hosts share the lock, the fetched files, and each derivation that
 * several of them need. A failed derivation ends the build before it writes any output directory, because other hosts may
 * need the derivation too. A failure of one host after that, such as an image that is too large, leaves the others alone.
 */
export function buildAll(
  context: BuildContext,
  { hosts, frozen, needs = needsOf(hosts) }: BuildAllRequest,
): Promise<HostBuild[]> {
  return usingStore(storeUse(context, useOf(hosts)), async () => {
    const keys = await ownerKeys(context)
    const plans = hosts.map(({ plan }) => plan)
    const committed = await ensureCommitted(context, plans, needs)
    return withLock(context, requestsOf(context, hosts), frozen, async (lock) => {
      const job: Job = {
        context,
        lock,
        keys,
        committed,
        revision: once(() => projectRevision(context.project, context.env)),
      }
      const planned = hosts.map((host) => ({ ...host, image: describe(job, host.plan) }))
      const realised = await realiseImages(
        context,
        planned.map(({ plan, image }) => ({ host: plan.name, image })),
      )
      return writeEach(job, planned, realised)
    })
  })
}

interface Job {
  readonly context: BuildContext
  readonly lock: Locks
  readonly keys: OwnerKeys
  readonly committed: Committed
  readonly revision: () => Promise<string | null>
}

interface PlannedHost extends HostRequest {
  readonly image: PlannedImage
}

function useOf(hosts: readonly HostRequest[]): string {
  const [only, ...others] = hosts
  return others.length === 0 ? `build of ${only?.plan.name}` : `build of ${hosts.length} hosts`
}

function needsOf(hosts: readonly HostRequest[]): LabNeeds {
  return { hosts: Object.fromEntries(hosts.map(({ plan }) => [plan.name, plan.secrets])), unknown: [] }
}

/** The requests of all hosts, each one once. */
function requestsOf({ builder }: BuildContext, hosts: readonly HostRequest[]): SourceRequest[] {
  const requests = hosts.flatMap(({ plan }) => plan.requests(builder))
  return [...new Map(requests.map((each) => [JSON.stringify(each), each])).values()]
}

function describe({ context, lock, keys, committed }: Job, plan: HostPlan): PlannedImage {
  const { ssh, signing } = keys
  return plan.image({
    ...readAssets(context.project, plan.deviceSources),
    builder: context.builder,
    sshKeys: ssh,
    signingKeys: signing.kind === 'signed' ? [signing.publicLine] : [],
    secrets: committed.secrets,
    time: lock.time,
    certificates: certificatesFor(committed.certificates, plan.name),
    locked: (request: SourceRequest) => lockedIn(lock, request) as never[],
  })
}

/** One host after another: each one hashes and writes hundreds of megabytes on this thread. */
async function writeEach(job: Job, hosts: readonly PlannedHost[], realised: RealisedImages): Promise<HostBuild[]> {
  const results: HostBuild[] = []
  for (const host of hosts) {
    job.context.signal.throwIfAborted()
    results.push(
      await write(job, host, realised).then(
        (built) => ({ host: host.plan.name, built }),
        (error: unknown) => {
          if (error instanceof UserError) return { host: host.plan.name, error }
          throw error
        },
      ),
    )
  }
  return results
}

async function write(
  job: Job,
  { plan, image, output }: PlannedHost,
  { outputs, made }: RealisedImages,
): Promise<Built> {
  const { context, lock, keys, revision } = job
  const platform = platformNamed(plan.platform)
  const parts = await realisedParts(context.store, image, outputs)
  const { name: host } = plan
  const assembled = await assemble(platform, { ...image, ...parts, host, signing: keys.signing, output })
  const generation = await recordGeneration(context.store.root, host, identityOf(assembled), async () => ({
    built: context.now.toISOString(),
    revision: await revision(),
    parts: await keepParts(context.store, { platform, image, lock, outputs, assembled }),
  }))
  const layers = image.layers.map(({ name, derivation }, at) => {
    return { name, size: parts.layers[at]?.size ?? 0, made: made(derivation) }
  })
  return { generation, root: assembled.root, slotSize: assembled.size, outputs: assembled.outputs, layers }
}

function identityOf({ root, texts }: Assembled) {
  return { root, manifest: digestOf(texts[MANIFEST] ?? '') }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
