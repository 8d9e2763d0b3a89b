import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Digest } from '../../images/digest.ts'
import { during, type Reporter, type Step } from '../../lib/reporter.ts'
import { forEachAtOnce, stopWith } from '../../lib/worker-pool.ts'
import { MANIFEST, type Parts, SIGNATURE } from '../generations/parts.ts'
import { assembleParts, textIn } from '../generations/rebuild.ts'
import { recordGeneration } from '../generations/record.ts'
import type { Outcome } from '../outputs/outputs.ts'
import type { SignedFacts } from '../platforms/platform.ts'
import { platformField } from '../platforms/registry.ts'
import type { Store } from '../store/store.ts'
import { amountOf, countText } from './amount.ts'
import { filesOf, type PullingHost, requireSame, textNamed, textsIn, textsOf, trustedFacts } from './incoming.ts'
import { storeLeaves } from './leaves.ts'
import {
  type PublishedFacts,
  type PublishedFile,
  type PublishedImage,
  parsePublishedFacts,
  parsePublishedImage,
  SUMS,
} from './published-image.ts'
import { hostTag, type Reference } from './remote.ts'
import { type Blob, type Repository, WORKERS } from './repository.ts'

export interface PullRequest {
  readonly host: PullingHost
  readonly reference: Reference
  /** The output directory: `out/HOST`. */
  readonly output: string
  readonly store: Store
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly open: (signal: AbortSignal) => Repository
}

export interface Pulled {
  /** The remote repository and the tag, in the form that users type. */
  readonly from: string
  /** The number of the generation in this store. */
  readonly generation: number
  readonly signed: SignedFacts
  readonly facts: PublishedFacts
  readonly outputs: Outcome
}

/**
 * Pulls an image into the store, and assembles it in the output directory. The files are the same as after the build.
 */
export async function pull(request: PullRequest): Promise<Pulled> {
  const { host, store, output } = request
  const incoming = await verified(request)
  const { from, image, signed, facts, manifestDigest: manifest } = incoming
  await fetchMissing(
    request,
    incoming,
    image.files.filter(({ name }) => name !== SUMS),
  )
  const parts = await partsOf(store, host, image, facts)
  const { root } = signed
  const name = `the image at '${from}'`
  const { outputs } = await assembleParts(store, { host: host.name, name, root, parts, output })
  const { built, revision } = facts
  const described = async () => ({ built, revision, parts })
  const generation = await recordGeneration(store.root, host.name, { root, manifest }, described)
  return { from, generation, signed, facts, outputs }
}

interface Incoming {
  readonly from: string
  readonly repository: Repository
  readonly stop: AbortController
  readonly image: PublishedImage
  readonly signed: SignedFacts
  readonly manifestDigest: Digest
  readonly facts: PublishedFacts
}

/** Finds the image and verifies its signature. Fetches only small files before the signature is verified. */
async function verified(request: PullRequest): Promise<Incoming> {
  const { host, store } = request
  const stop = stopWith(request.signal)
  const repository = request.open(stop.signal)
  const reference = request.reference ?? { tag: hostTag(host.name) }
  const from = `${repository.where}${'tag' in reference ? `:${reference.tag}` : `@sha256:${reference.digest}`}`
  const text = await repository.manifest(reference)
  if (text === undefined) throw noImage(host.name, from, repository.where)
  const image = parsePublishedImage(text, from)
  const texts = textsOf(image, host, from)
  const [named, signature] = [textNamed(texts, MANIFEST, from), textNamed(texts, SIGNATURE, from)]
  const facts = { name: 'facts', ...image.facts }
  await fetchMissing(request, { repository, stop }, [named, signature, facts])
  const read = ({ digest }: Blob) => textIn(store, digest)
  const signedTexts = { manifest: await read(named), signature: await read(signature) }
  const claims = {
    ...{ image, host, signed: trustedFacts(host, signedTexts, from) },
    facts: parsePublishedFacts(await read(facts), from),
  }
  requireSame(claims, from)
  return { ...claims, from, repository, stop, manifestDigest: named.digest }
}

/**
 * Fetches the files that the store lacks. Adds each file to the store as soon as it is complete, so that a second pull
 * continues there.
 */
async function fetchMissing(
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

async function partsOf(
  store: Store,
  { platform }: PullingHost,
  { files }: PublishedImage,
  { slotSize, outputs }: PublishedFacts,
): Promise<Parts> {
  const layers: Parts['layers'] = []
  for (const layer of filesOf(files, 'layer'))
    layers.push({ ...stored(layer), leaves: await storeLeaves(store, layer) })
  const boot = filesOf(files, 'boot').map(stored)
  const texts = textsIn(files).map(stored)
  return { ...platformField(platform), slotSize, layers, boot, texts, outputs, origin: null }
}

function stored({ name, digest, size }: PublishedFile): Parts['boot'][number] {
  return { name, digest, size }
}

function noImage(host: string, from: string, where: string): UserError {
  return new UserError('registry', `there is no image at '${from}'`, {
    hint: `publish the image where it was built: npm run publish ${host} -- --to '${where}'`,
  })
}
