import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'
import { during, type Reporter, type Step } from '../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../lib/worker-pool.ts'
import { generationNumbered, requireKept } from '../generations/find.ts'
import { generationsOf, type KeptGeneration } from '../generations/record.ts'
import type { Store } from '../store/store.ts'
import { type Amount, amountOf, countText } from './amount.ts'
import { outgoingImage } from './outgoing.ts'
import { hostTag, imageTag } from './remote.ts'
import { type LocalBlob, type Repository, WORKERS } from './repository.ts'

export interface PublishRequest {
  readonly host: string
  /** Undefined for the newest generation. */
  readonly number: number | undefined
  /** Replaces the tag of the host. */
  readonly tag: string | undefined
  readonly store: Store
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly open: (signal: AbortSignal) => Repository
}

export interface Published {
  /** The remote repository as a person types it. */
  readonly where: string
  readonly generation: KeptGeneration
  readonly tags: readonly string[]
  /** Digest of the OCI manifest, which names exactly this image. */
  readonly digest: Digest
  readonly sent: Amount
  /** Blobs that the repository had already. */
  readonly there: Amount
}

/** Publishes a generation. Blobs that the repository has are not sent. */
export async function publish(request: PublishRequest): Promise<Published> {
  const { host, store } = request
  const stop = stopWith(request.signal)
  const repository = request.open(stop.signal)
  const generation = chosen(request)
  const image = await outgoingImage(store, host, generation)
  const missing = await missingAt(repository, image.blobs, stop)
  await send(repository, missing, request.reporter, stop)
  const tags = tagsFor(request, generation)
  // Tags come after the blobs, and the host's tag last: a tag never names an image that is incomplete.
  for (const tag of tags) await repository.putManifest(tag, image.text)
  const sent = amountOf(missing)
  const all = amountOf(image.blobs)
  const there = { count: all.count - sent.count, bytes: all.bytes - sent.bytes }
  return { where: repository.where, generation, tags, digest: image.digest, sent, there }
}

function chosen({ host, number, store }: PublishRequest): KeptGeneration {
  if (number !== undefined) return requireKept(host, generationNumbered(store.root, host, number))
  const last = generationsOf(store.root, host).at(-1)
  if (last !== undefined) return requireKept(host, last)
  throw new UserError('generation', `this store has no image of ${host}`, {
    hint: `build it first: npm run build:image ${host}`,
  })
}

/** An older generation gets the host's tag only when the user gives that tag. */
function tagsFor({ host, number, tag, store }: PublishRequest, { root, number: own }: KeptGeneration): string[] {
  const newest = number === undefined || generationsOf(store.root, host).at(-1)?.number === own
  const moving = tag ?? (newest ? hostTag(host) : undefined)
  return [...new Set([imageTag(host, root), ...(moving === undefined ? [] : [moving])])]
}

async function missingAt(
  repository: Repository,
  blobs: readonly LocalBlob[],
  stop: AbortController,
): Promise<LocalBlob[]> {
  const missing: LocalBlob[] = []
  await forEachAtOnce(blobs, { workers: WORKERS, stop }, async (blob) => {
    if (!(await repository.has(blob))) missing.push(blob)
  })
  // Largest first, so that no large blob is sent alone at the end.
  return missing.sort((a, b) => b.size - a.size)
}

async function send(
  repository: Repository,
  missing: readonly LocalBlob[],
  reporter: Reporter,
  stop: AbortController,
): Promise<void> {
  if (missing.length === 0) return
  const { count, bytes } = amountOf(missing)
  const put = (step: Step) =>
    forEachAtOnce(missing, { workers: WORKERS, stop }, (blob) => repository.put(blob, (more) => step.advance(more)))
  await during(reporter, `send ${countText(count)}`, put, { totalBytes: bytes })
}
