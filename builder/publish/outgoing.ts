import { UserError } from '../../errors.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { MANIFEST, type Parts, textOf } from '../generations/parts.ts'
import { missingParts, textIn } from '../generations/rebuild.ts'
import type { KeptGeneration } from '../generations/record.ts'
import { sumsText } from '../outputs/outputs.ts'
import type { Platform, SignedFacts } from '../platforms/platform.ts'
import { platformField, platformNamed } from '../platforms/registry.ts'
import type { Store } from '../store/store.ts'
import { type PublishedFile, publishedFactsText, publishedImageText, SUMS } from './published-image.ts'
import type { LocalBlob } from './repository.ts'
import { storeBlob, textBlob } from './store-blob.ts'

/** An image that is ready for publishing. */
export interface OutgoingImage {
  /** The text of the OCI manifest. */
  readonly text: string
  /** Digest of the OCI manifest. */
  readonly digest: Digest
  /** The blobs that the OCI manifest names, without duplicates. */
  readonly blobs: readonly LocalBlob[]
}

/**
 * Describes a kept generation as an OCI artifact, with the same bytes each time. Throws 'private' for an image that may
 * hold keys in clear text, 'signature' for an unsigned image, and 'store' if the store lacks files of the image.
 */
export async function outgoingImage(store: Store, host: string, generation: KeptGeneration): Promise<OutgoingImage> {
  const { number, root, built, revision, parts } = generation
  const name = `generation ${number} of ${host}`
  const platform = platformNamed(parts.platform)
  const missing = missingParts(store, parts)
  if (missing.length > 0) throw incomplete(host, name, missing.length)
  requirePublishable(name, platform.readManifest(await textIn(store, manifestOf(parts, name)), name), platform)
  const { slotSize, outputs } = parts
  const described = { ...platformField(platform.name), host, root, slotSize, outputs, built, revision }
  const facts = textBlob('facts', publishedFactsText(described))
  const sums = textBlob(SUMS, sumsText(Object.fromEntries(outputs.map((each) => [each.name, each]))))
  const files = filesOf(parts)
  const text = publishedImageText({ facts, files: [...files, { role: 'text', ...sums }] })
  const blobs = [facts, sums, ...files.map((file) => storeBlob(store, file))]
  const once = new Map(blobs.map((blob) => [blob.digest, blob]))
  return { text, digest: digestOf(text), blobs: [...once.values()] }
}

function filesOf({ texts, boot, layers }: Parts): PublishedFile[] {
  return [
    ...layers.map(({ name, digest, size }) => ({ role: 'layer', name, digest, size }) as const),
    ...boot.map((file) => ({ role: 'boot', ...file }) as const),
    ...texts.map((file) => ({ role: 'text', ...file }) as const),
  ]
}

function manifestOf(parts: Parts, name: string): Digest {
  const found = textOf(parts, MANIFEST)
  if (found === undefined) throw new Error(`${name} has no manifest`)
  return found.digest
}

/** Throws 'private' for an image that may hold keys in clear text. Images for an unknown board count as private. */
export function requirePublishable(
  name: string,
  { board, host, signature }: Pick<SignedFacts, 'board' | 'host' | 'signature'>,
  { isPublic }: Pick<Platform, 'isPublic'>,
): void {
  if (!isPublic(board)) {
    throw new UserError('private', `cannot publish ${name}: images for '${board}' may hold keys in clear text`, {
      hint: `copy out/${host} by hand to the machine that needs it`,
    })
  }
  if (signature === 'signed') return
  throw new UserError('signature', `cannot publish ${name}: it is not signed`, {
    hint: `build the image where the signing key is, or with HANGAR_SIGNING_KEY=FILE: npm run build:image ${host}`,
  })
}

function incomplete(host: string, name: string, count: number): UserError {
  return new UserError('store', `the store lacks ${count} ${count === 1 ? 'file' : 'files'} of ${name}`, {
    hint: `build the image again: npm run build:image ${host}`,
  })
}
