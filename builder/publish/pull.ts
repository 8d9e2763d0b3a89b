import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'
import type { Manifest } from '../../images/manifest.ts'
import { during, type Reporter, type Step } from '../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../lib/worker-pool.ts'
import { MANIFEST, type Parts, SIGNATURE } from '../generations/parts.ts'
import { putTogether, textIn } from '../generations/rebuild.ts'
import { recordGeneration } from '../generations/record.ts'
import type { Outcome } from '../outputs/outputs.ts'
import type { Store } from '../store/store.ts'
import { amountOf, countText } from './amount.ts'
import { filesOf, type PullingHost, requireSame, textNamed, textsIn, textsOf, trustedManifest } from './incoming.ts'
import { storeLeaves } from './leaves.ts'
import type { Reference } from './place.ts'
import {
  type PublishedFacts,
  type PublishedFile,
  type PublishedImage,
  parsePublishedFacts,
  parsePublishedImage,
  SUMS,
} from './published-image.ts'
import { type Blob, type Repository, WORKERS } from './repository.ts'
import { hostTag } from './tags.ts'

export interface PullRequest {
  readonly host: PullingHost
  readonly reference: Reference
  /** Directory of the results. */
  readonly output: string
  readonly store: Store
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly open: (signal: AbortSignal) => Repository
}

export interface Pulled {
  /** Place and tag, as a person types it. */
  readonly from: string
  /** The number that this store gives the image. */
  readonly generation: number
  readonly manifest: Manifest
  readonly facts: PublishedFacts
  readonly outputs: Outcome
}

/** Brings a published image into the store and the host's output directory, as the build of it left them. */
export async function pull(request: PullRequest): Promise<Pulled> {
  const { host, store, output } = request
  const incoming = await identified(request)
  const { from, image, manifest, facts } = incoming
  await bringAll(
    request,
    incoming,
    image.files.filter(({ name }) => name !== SUMS),
  )
  const parts = await partsOf(store, image, facts)
  const { root } = manifest.slot
  const { outputs } = await putTogether(store, { host: host.name, name: `the image at '${from}'`, root, parts, output })
  const identity = { root, manifest: incoming.manifestDigest }
  const { built, revision } = facts
  const generation = await recordGeneration(store.root, host.name, identity, async () => ({ built, revision, parts }))
  return { from, generation, manifest, facts, outputs }
}

interface Incoming {
  readonly from: string
  readonly repository: Repository
  readonly stop: AbortController
  readonly image: PublishedImage
  readonly manifest: Manifest
  readonly manifestDigest: Digest
  readonly facts: PublishedFacts
}

/** Finds the image and whose it is: before its manifest is known to be signed, nothing large is fetched. */
async function identified(request: PullRequest): Promise<Incoming> {
  const { host, store } = request
  const stop = stopWith(request.signal)
  const repository = request.open(stop.signal)
  const reference = request.reference ?? { tag: hostTag(host.name) }
  const from = `${repository.where}${'tag' in reference ? `:${reference.tag}` : `@sha256:${reference.digest}`}`
  const text = await repository.manifest(reference)
  if (text === undefined) throw nothingThere(host.name, from, repository.where)
  const image = parsePublishedImage(text, from)
  const texts = textsOf(image, host.name, from)
  const [named, signature] = [textNamed(texts, MANIFEST, from), textNamed(texts, SIGNATURE, from)]
  const facts = { name: 'facts', ...image.facts }
  await bringAll(request, { repository, stop }, [named, signature, facts])
  const read = ({ digest }: Blob) => textIn(store, digest)
  const signed = { manifest: await read(named), signature: await read(signature) }
  const claims = {
    ...{ image, host, manifest: trustedManifest(host, signed, from) },
    facts: parsePublishedFacts(await read(facts), from),
  }
  requireSame(claims, from)
  return { ...claims, from, repository, stop, manifestDigest: named.digest }
}

/** What the store has is not fetched, and each file that has arrived stays whatever comes after it. */
async function bringAll(
  { store, reporter }: PullRequest,
  { repository, stop }: Pick<Incoming, 'repository' | 'stop'>,
  files: readonly (Blob & { readonly name: string })[],
): Promise<void> {
  const each = new Map(files.map((file) => [file.digest, file]))
  const missing = [...each.values()].filter(({ digest, size }) => !store.has(digest, size))
  if (missing.length === 0) return
  const { count, bytes } = amountOf(missing)
  const fetchAll = (step: Step) =>
    store.scratch('pull', (scratch) =>
      forEachAtOnce(missing, { workers: WORKERS, stop }, async (file) => {
        const path = join(scratch, file.digest)
        await repository.fetch(file, path, (bytes) => step.advance(bytes))
        await store.adopt(path, file.digest)
      }),
    )
  await during(reporter, `fetch ${countText(count)}`, fetchAll, { totalBytes: bytes, ending: 'fetched' })
}

async function partsOf(store: Store, { files }: PublishedImage, { slotSize, outputs }: PublishedFacts): Promise<Parts> {
  const layers: Parts['layers'] = []
  for (const layer of filesOf(files, 'layer'))
    layers.push({ ...stored(layer), leaves: await storeLeaves(store, layer) })
  const boot = filesOf(files, 'boot').map(stored)
  return { slotSize, layers, boot, texts: textsIn(files).map(stored), outputs, origin: null }
}

function stored({ name, digest, size }: PublishedFile): Parts['boot'][number] {
  return { name, digest, size }
}

function nothingThere(host: string, from: string, where: string): UserError {
  return new UserError('registry', `there is no image at '${from}'`, {
    hint: `publish it where it was built: npm run publish ${host} -- --to '${where}'`,
  })
}
