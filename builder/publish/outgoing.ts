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

/** An image that is ready to be sent. */
export interface OutgoingImage {
  /** The OCI manifest. */
  readonly text: string
  /** Digest of the OCI manifest. */
  readonly digest: Digest
  /** Every blob that the OCI manifest names, each once. */
  readonly blobs: readonly LocalBlob[]
}

/**
 * A kept generation as an OCI artifact; the same bytes each time. Throws 'private' for an image that may hold keys in
 * clear text, 'signature' for an unsigned one, and 'store' when parts are missing.
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

/** Images for an unknown board count as private. */
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
    hint: `build it where the signing key is, or with HANGAR_SIGNING_KEY=FILE: npm run build:image ${host}`,
  })
}

function incomplete(host: string, name: string, count: number): UserError {
  return new UserError('store', `the store lacks ${count} ${count === 1 ? 'part' : 'parts'} of ${name}`, {
    hint: `build it again: npm run build:image ${host}`,
  })
}
