import type { Output } from '../../images/derivation.ts'
import { derivationDigest } from '../../images/derivation.ts'
import type { Digest } from '../../images/digest.ts'
import { LAYER_FILE, LEAVES_FILE } from '../../images/image.ts'
import { allEnded } from '../../lib/worker-pool.ts'
import type { PlannedImage } from '../host-plan.ts'
import type { Locks } from '../lock/locks.ts'
import type { Assembled } from '../platforms/assemble.ts'
import type { BootFile, Platform } from '../platforms/platform.ts'
import { platformField } from '../platforms/registry.ts'
import type { Store } from '../store/store.ts'
import { type Graph, graphText } from './graph.ts'
import type { Parts, StoredFile, StoredLayer } from './parts.ts'

export interface BuiltImage {
  readonly platform: Pick<Platform, 'name'>
  readonly image: PlannedImage
  readonly lock: Locks
  /** The outputs of the image's derivations, by derivation digest. */
  readonly outputs: ReadonlyMap<Digest, Output>
  readonly assembled: Assembled
}

/** Adds the files of a built image that the store lacks, so that hangar can assemble the image again later. */
export async function keepParts(
  store: Store,
  { platform, image, lock, outputs, assembled }: BuiltImage,
): Promise<Parts> {
  const { boot, texts, facts } = assembled
  const graph = graphText(graphOf(image))
  for (const bytes of graph.bytes) await store.putBytes(bytes)
  return {
    ...platformField(platform.name),
    slotSize: image.slotSize,
    layers: image.layers.map(({ name, derivation }) => storedLayer(name, outputs.get(derivationDigest(derivation)))),
    boot: await allEnded(Object.entries(boot).map(([name, file]) => storedFile(store, name, file))),
    texts: await allEnded(Object.entries(texts).map(([name, text]) => storedText(store, name, text))),
    outputs: facts.map(({ sha256, ...fact }) => (sha256 === undefined ? fact : { ...fact, sha256 })),
    origin: { lock: await store.putBytes(lock.text), graph: await store.putBytes(graph.text) },
  }
}

function graphOf({ layers, bootFiles, sbom }: PlannedImage): Graph {
  return {
    layers: new Map(layers.map(({ name, derivation }) => [name, derivation])),
    boot: new Map(Object.entries(bootFiles).flatMap(([name, input]) => ('from' in input ? [[name, input]] : []))),
    others: new Map([['sbom', sbom]]),
  }
}

function storedLayer(name: string, output: Output | undefined): StoredLayer {
  const [layer, leaves] = [output?.[LAYER_FILE], output?.[LEAVES_FILE]]
  if (layer === undefined || leaves === undefined) throw new Error(`layer '${name}' was not realised`)
  return { name, digest: layer.digest, size: layer.size, leaves: { digest: leaves.digest, size: leaves.size } }
}

async function storedFile(store: Store, name: string, file: BootFile): Promise<StoredFile> {
  return 'text' in file ? storedText(store, name, file.text) : { name, digest: file.digest, size: file.size }
}

async function storedText(store: Store, name: string, text: string | Uint8Array): Promise<StoredFile> {
  return { name, digest: await store.putBytes(text), size: Buffer.byteLength(text) }
}
