import { type Derivation, derivationDigest, type Input, type Output } from '../images/derivation.ts'
import { type Digest, digestOf } from '../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../images/image.ts'
import type { SourceRequest } from '../images/locked-file.ts'
import { REST_FILE } from '../images/sbom/document.ts'
import { type Assets, readAssets } from './assets.ts'
import { type BuildContext, lockedIn, storeUse } from './context.ts'
import { keepParts } from './generations/keep.ts'
import { MANIFEST } from './generations/parts.ts'
import { recordGeneration } from './generations/record.ts'
import type { HostPlan, PlanContext, PlannedImage } from './host-plan.ts'
import { type OwnerKeys, ownerKeys } from './keys/owner-keys.ts'
import { withLock } from './lock/ensure.ts'
import type { FrozenFlag } from './lock/frozen.ts'
import type { Locks } from './lock/locks.ts'
import type { Outcome } from './outputs/outputs.ts'
import { type Assembled, assemble } from './platforms/assemble.ts'
import type { FileInStore, RealisedLayer } from './platforms/platform.ts'
import { platformNamed } from './platforms/registry.ts'
import { projectRevision } from './revision.ts'
import { type StepTime, timeSteps } from './step-times.ts'
import { usingStore } from './store/leases.ts'

export interface BuildRequest {
  readonly plan: HostPlan
  readonly frozen: FrozenFlag
  /** The output directory: `out/HOST`. */
  readonly output: string
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

/** Builds the image of a host into its output directory, and records it as a generation. */
export function build(context: BuildContext, request: BuildRequest): Promise<Built> {
  return usingStore(storeUse(context, `build of ${request.plan.name}`), () => buildInStore(context, request))
}

async function buildInStore(context: BuildContext, { plan, frozen, output }: BuildRequest): Promise<Built> {
  const platform = platformNamed(plan.platform)
  const keys = await ownerKeys(context)
  const timed = timeSteps(context.reporter)
  return withLock(context, plan.requests(context.builder), frozen, async (lock) => {
    const image = plan.image({
      ...readAssets(context.project, plan.deviceSources),
      ...planContext(context, lock, keys),
    })
    const realised = await context.runner.realise(derivationsOf(image), timed.reporter)
    const parts = await realisedParts(context, image, realised)
    const { name: host } = plan
    const assembled = await assemble(platform, { ...image, ...parts, host, signing: keys.signing, output })
    const generation = await recordGeneration(context.store.root, host, identityOf(assembled), async () => ({
      built: context.now.toISOString(),
      revision: await projectRevision(context.project, context.env),
      parts: await keepParts(context.store, { platform, image, lock, outputs: realised, assembled }),
    }))
    const layers = parts.layers.map(({ name, size }) => ({ name, size, made: timed.of(name) }))
    return { generation, root: assembled.root, slotSize: assembled.size, outputs: assembled.outputs, layers }
  })
}

function identityOf({ root, texts }: Assembled) {
  return { root, manifest: digestOf(texts[MANIFEST] ?? '') }
}

type BuildFacts = Omit<PlanContext, keyof Assets>

function planContext({ builder }: BuildContext, lock: Locks, { ssh, signing }: OwnerKeys): BuildFacts {
  return {
    builder,
    sshKeys: ssh,
    signingKeys: signing.kind === 'signed' ? [signing.publicLine] : [],
    time: lock.time,
    locked: (request: SourceRequest) => lockedIn(lock, request) as never[],
  }
}

function derivationsOf({ layers, sbom, bootFiles }: PlannedImage): Derivation[] {
  const found = [...layers.map(({ derivation }) => derivation), sbom]
  for (const input of Object.values(bootFiles)) if ('from' in input) found.push(input.from)
  return [...new Map(found.map((each) => [derivationDigest(each), each])).values()]
}

type Outputs = ReadonlyMap<Digest, Output>

async function realisedParts(context: BuildContext, { layers, bootFiles, sbom }: PlannedImage, outputs: Outputs) {
  const files = Object.entries(bootFiles).map(
    async ([name, input]) => [name, await bootFile(context, input, outputs)] as const,
  )
  return {
    layers: layers.map(({ name, derivation }) => realisedLayer(context, name, derivation, outputs)),
    bootFiles: Object.fromEntries(await Promise.all(files)),
    sbom: fileOf(context, outputs, sbom, REST_FILE),
  }
}

function realisedLayer(context: BuildContext, name: string, derivation: Derivation, outputs: Outputs): RealisedLayer {
  const leaves = fileOf(context, outputs, derivation, LEAVES_FILE)
  return { name, ...fileOf(context, outputs, derivation, LAYER_FILE), leaves: leaves.file }
}

async function bootFile(context: BuildContext, input: Input, outputs: Outputs): Promise<FileInStore> {
  if ('from' in input) return fileOf(context, outputs, input.from, input.file)
  if (!('bytes' in input)) throw new Error('a boot file is text, or comes from a derivation')
  const digest = await context.store.putBytes(input.bytes)
  return { file: context.store.path(digest), size: Buffer.byteLength(input.bytes), digest }
}

function fileOf({ store }: BuildContext, outputs: Outputs, derivation: Derivation, file: string): FileInStore {
  const found = outputs.get(derivationDigest(derivation))?.[file]
  if (found === undefined) throw new Error(`derivation '${derivation.name}' left no '${file}'`)
  return { file: store.path(found.digest), size: found.size, digest: found.digest }
}
