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
  /** The number of the generation to publish; undefined for the newest generation. */
  readonly number: number | undefined
  /** A tag to set instead of the host's tag. */
  readonly tag: string | undefined
  readonly store: Store
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly open: (signal: AbortSignal) => Repository
}

export interface Published {
  /** The address of the remote repository, in the form that users type. */
  readonly where: string
  readonly generation: KeptGeneration
  readonly tags: readonly string[]
  /** The digest of the OCI manifest, by which a user can pull exactly this image. */
  readonly digest: Digest
  readonly sent: Amount
  /** The blobs that the repository already had. */
  readonly there: Amount
}

/** Publishes a generation. Sends only the blobs that the repository lacks. */
export async function publish(request: PublishRequest): Promise<Published> {
  const { host, store } = request
  const stop = stopWith(request.signal)
  const repository = request.open(stop.signal)
  const generation = chosen(request)
  const image = await outgoingImage(store, host, generation)
  const missing = await missingAt(repository, image.blobs, stop)
  await send(repository, missing, request.reporter, stop)
  const tags = tagsFor(request, generation)
  // Sets tags after all blobs are sent, and the host's tag last: a tag never names an incomplete image.
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
    hint: `build the image first: npm run build:image ${host}`,
  })
}

/**
 * The tags to set: the image's own tag, and the given tag or the host's tag. An older generation gets the host's tag
 * only if the user gives this tag.
 */
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
  // Sends the largest blobs first, so that the last transfers are short and run in parallel.
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
