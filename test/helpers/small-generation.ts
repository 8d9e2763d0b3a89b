import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST, type Parts } from '../../builder/generations/parts.ts'
import { recordGeneration } from '../../builder/generations/record.ts'
import type { BootFile } from '../../builder/platforms/platform.ts'
import type { Store } from '../../builder/store/store.ts'
import { digestOf } from '../../images/digest.ts'
import { assemblePi, type PiRequest, type SmallLayers, smallImage } from './small-image.ts'

/** Writes the results of a build: a small image in the output directory, its parts in the store, and its record. */
export async function smallGeneration(
  store: Store,
  output: string,
  given: Partial<PiRequest> & SmallLayers = {},
): Promise<number> {
  const sources = join(store.root, 'sources')
  mkdirSync(sources, { recursive: true })
  const request = smallImage(sources, output, given)
  const assembled = await assemblePi(request)
  const put = async (name: string, bytes: Uint8Array | string) => {
    return { name, digest: await store.putBytes(bytes), size: Buffer.byteLength(bytes) }
  }
  const bytesOf = (file: BootFile) => ('text' in file ? file.text : readFileSync(file.file))
  const layers: Parts['layers'] = []
  for (const { name, file, leaves } of request.layers) {
    const { name: _, ...beside } = await put('leaves', readFileSync(leaves))
    layers.push({ ...(await put(name, readFileSync(file))), leaves: beside })
  }
  const boot = Object.entries(assembled.boot).map(([name, file]) => put(name, bytesOf(file)))
  const texts = Object.entries(assembled.texts).map(([name, text]) => put(name, text))
  const parts: Parts = {
    ...{ slotSize: request.slotSize, layers, boot: await Promise.all(boot), texts: await Promise.all(texts) },
    outputs: assembled.facts.map(({ sha256, ...fact }) => (sha256 === undefined ? fact : { ...fact, sha256 })),
    origin: null,
  }
  const identity = { root: assembled.root, manifest: digestOf(assembled.texts[MANIFEST] ?? '') }
  const facts = { built: '2026-01-02T03:04:05.000Z', revision: null, parts }
  return recordGeneration(store.root, request.host, identity, async () => facts)
}
