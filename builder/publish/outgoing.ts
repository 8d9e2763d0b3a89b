import { UserError } from '../../errors.ts'
import { BOARDS, type Board } from '../../images/board.ts'
import { type Digest, digestOf } from '../../images/digest.ts'
import { type Manifest, parseManifest } from '../../images/manifest.ts'
import { MANIFEST, type Parts, textOf } from '../generations/parts.ts'
import { missingParts, textIn } from '../generations/rebuild.ts'
import type { KeptGeneration } from '../generations/record.ts'
import { sumsText } from '../outputs/outputs.ts'
import type { Store } from '../store/store.ts'
import { type PublishedFile, publishedFactsText, publishedImageText, SUMS } from './published-image.ts'
import type { LocalBlob } from './repository.ts'
import { storeBlob, textBlob } from './store-blob.ts'

/** An image on its way out: its OCI manifest, and every blob that this names, each once. */
export interface OutgoingImage {
  readonly text: string
  /** Of the OCI manifest. */
  readonly digest: Digest
  readonly blobs: readonly LocalBlob[]
}

/** A kept generation as it is published, the same bytes each time. Refuses what nobody else may have, or could use. */
export async function outgoingImage(store: Store, host: string, generation: KeptGeneration): Promise<OutgoingImage> {
  const { number, root, built, revision, parts } = generation
  const name = `generation ${number} of ${host}`
  const missing = missingParts(store, parts)
  if (missing.length > 0) throw incomplete(host, name, missing.length)
  requirePublishable(name, parseManifest(await textIn(store, manifestOf(parts, name)), name))
  const { slotSize, outputs } = parts
  const facts = textBlob('facts', publishedFactsText({ host, root, slotSize, outputs, built, revision }))
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

/** A board that is not known is not known to have images that anyone may read. */
export function requirePublishable(
  name: string,
  { board, host, signature }: Manifest,
  boards: Readonly<Record<string, Pick<Board, 'name' | 'readers'>>> = BOARDS,
): void {
  const known = Object.values(boards).find((each) => each.name === board)
  if (known?.readers !== 'anyone') {
    throw new UserError('private', `${name} is private: images for '${board}' may hold keys in the clear`, {
      hint: 'they stay with the owner: copy out/ by hand to where it is needed',
    })
  }
  if (signature === 'signed') return
  throw new UserError('signature', `${name} is unsigned: nobody could tell it from another's`, {
    hint: `build it where the signing key is, or with HANGAR_SIGNING_KEY=FILE: npm run build:image ${host}`,
  })
}

function incomplete(host: string, name: string, count: number): UserError {
  return new UserError('store', `the store lacks ${count} ${count === 1 ? 'part' : 'parts'} of ${name}`, {
    hint: `build it again: npm run build:image ${host}`,
  })
}
