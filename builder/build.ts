import { type Derivation, derivationDigest, type Input, type Output } from '../images/derivation.ts'
import { type Digest, digestOf } from '../images/digest.ts'
import { type Image, LAYER_FILE, type Layer, LEAVES_FILE } from '../images/image.ts'
import type { ArchitectureSet } from '../images/package-set.ts'
import { REST_FILE } from '../images/sbom/document.ts'
import { readAssets } from './assets.ts'
import { type BuildContext, lockedIn, storeUse } from './context.ts'
import { keepParts } from './generations/keep.ts'
import { MANIFEST } from './generations/parts.ts'
import { recordGeneration } from './generations/record.ts'
import type { HostPlan } from './host-plan.ts'
import { type OwnerKeys, ownerKeys } from './keys/owner-keys.ts'
import { withLock } from './lock/ensure.ts'
import type { FrozenFlag } from './lock/frozen.ts'
import type { Locks } from './lock/locks.ts'
import { type Assembled, assemble } from './platforms/pi/assemble.ts'
import { projectRevision } from './revision.ts'
import { type Made, timeSteps } from './step-times.ts'
import { usingStore } from './store/leases.ts'

export interface BuildRequest {
  readonly plan: HostPlan
  readonly frozen: FrozenFlag
  /** Directory for the results. */
  readonly output: string
}

export interface Built {
  /** The store's number of this image of the host. */
  readonly generation: number
  readonly root: Digest
  readonly slotSize: number
  readonly layers: readonly { readonly name: string; readonly size: number; readonly made: Made }[]
  /** What became of the files in the output directory. */
  readonly outputs: 'written' | 'patched' | 'unchanged'
}

/** From a host to signed bytes in its output directory. */
export function build(context: BuildContext, request: BuildRequest): Promise<Built> {
  return usingStore(storeUse(context, `build of ${request.plan.name}`), () => buildInStore(context, request))
}

async function buildInStore(context: BuildContext, { plan, frozen, output }: BuildRequest): Promise<Built> {
  const keys = await ownerKeys({ env: context.env, reporter: context.reporter })
  const timed = timeSteps(context.reporter)
  return withLock(context, plan.sets(context.builder), frozen, async (lock) => {
    const image = plan.image({ ...readAssets(context.project, plan.deviceSources), ...contextOf(context, lock, keys) })
    const outputs = await context.runner.realise(derivationsOf(image), timed.reporter)
    const layers = image.layers.map((layer) => realisedLayer(context, layer, outputs))
    const assembled = await assemble({
      ...image,
      layers,
      bootFiles: Object.fromEntries(
        await Promise.all(
          Object.entries(image.bootFiles).map(
            async ([name, input]) => [name, await bootFile(context, input, outputs)] as const,
          ),
        ),
      ),
      sbom: sbomRestOf(context, image, outputs),
      signing: keys.signing,
      output,
    })
    const generation = await recordGeneration(context.store.root, plan.name, identityOf(assembled), async () => ({
      built: context.now.toISOString(),
      revision: await projectRevision(context.project, context.env),
      parts: await keepParts(context.store, { image, lock, outputs, assembled }),
    }))
    const { root, slotSize, outputs: outcome } = assembled
    const made = layers.map(({ name, size }) => ({ name, size, made: timed.of(name) }))
    return { root, slotSize, outputs: outcome, generation, layers: made }
  })
}

function identityOf({ root, texts }: Assembled) {
  return { root, manifest: digestOf(texts[MANIFEST] ?? '') }
}

function contextOf(context: BuildContext, lock: Locks, { ssh, signing }: OwnerKeys) {
  const { builder } = context
  return {
    builder,
    sshKeys: ssh,
    signingKeys: signing.kind === 'signed' ? [signing.publicLine] : [],
    time: lock.time,
    locked: (set: ArchitectureSet) => lockedIn(lock, set),
  }
}

function derivationsOf(image: Image): Derivation[] {
  const found = [...image.layers.map(({ derivation }) => derivation), image.sbom]
  for (const input of Object.values(image.bootFiles)) if ('from' in input) found.push(input.from)
  return [...new Map(found.map((each) => [derivationDigest(each), each])).values()]
}

function realisedLayer({ store }: BuildContext, { name, derivation }: Layer, outputs: ReadonlyMap<Digest, Output>) {
  const layer = outputFile(outputs, derivation, LAYER_FILE)
  const leaves = outputFile(outputs, derivation, LEAVES_FILE)
  return {
    name,
    file: store.path(layer.digest),
    size: layer.size,
    digest: layer.digest,
    leaves: store.path(leaves.digest),
  }
}

function sbomRestOf({ store }: BuildContext, { sbom }: Image, outputs: ReadonlyMap<Digest, Output>) {
  const { digest } = outputFile(outputs, sbom, REST_FILE)
  return { file: store.path(digest), digest }
}

async function bootFile({ store }: BuildContext, input: Input, outputs: ReadonlyMap<Digest, Output>) {
  if ('from' in input) {
    const { digest, size } = outputFile(outputs, input.from, input.file)
    return { file: store.path(digest), size, digest }
  }
  if (!('bytes' in input)) throw new Error('a boot file comes from a derivation or is text')
  const digest = await store.putBytes(input.bytes)
  return { file: store.path(digest), size: Buffer.byteLength(input.bytes), digest }
}

function outputFile(outputs: ReadonlyMap<Digest, Output>, derivation: Derivation, file: string) {
  const found = outputs.get(derivationDigest(derivation))?.[file]
  if (found === undefined) throw new Error(`derivation '${derivation.name}' left no '${file}'`)
  return found
}
