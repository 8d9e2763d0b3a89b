import type { Digest } from '../../images/digest.ts'
import type { PlannedImage } from '../host-plan.ts'
import type { Signing } from '../keys/owner-keys.ts'
import type { OutputFile } from '../outputs/outputs.ts'
import type { OutputState } from '../outputs/state.ts'

/**
 * The builder's side of a kind of machine: which files an image is in its output directory, and what its manifest
 * signs. A platform only plans: `assemble.ts` writes the files, `generations` records them, `publish` sends them.
 */
export interface Platform<Image extends PlannedImage = PlannedImage> {
  /** As host plans, generation records and published images name it. */
  readonly name: string
  /** Plans the files of an image that was just realised, and signs its manifest. Throws 'size' when it does not fit. */
  readonly assemble: (image: RealisedImage<Image>) => Assembly
  /** Plans the files of a recorded image from its parts. No key is needed: the texts hold the signature. */
  readonly reassemble: (image: RecordedImage) => Assembly
  /** Reads the platform's manifest; throws 'format' when the text is not one. */
  readonly readManifest: (text: string, where: string) => SignedFacts
  /** Whether everybody may read images for a board: an image that holds keys in clear text is never published. */
  readonly isPublic: (board: string) => boolean
  /** Names of the images in the output directory; no text of an image may have one of these names. */
  readonly images: (host: string) => DiskImages
  /** Boot files that `diff` compares: name -> a function that removes what differs in every build. */
  readonly comparedFiles: Readonly<Record<string, (text: string) => string>>
}

export interface DiskImages {
  /** The image for a new disk; `export` compresses it. */
  readonly disk: string
  /** The slot's own image, as an update sends it. */
  readonly slot: string
  /** The image of the boot files; undefined on platforms that have none. */
  readonly boot: string | undefined
  /** Further files that are made from these, such as a block map. */
  readonly others: readonly string[]
}

/** A layer in the store; `file` and `leaves` are paths. */
export interface RealisedLayer {
  readonly name: string
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly digest: Digest
  /** A file with the SHA-256 of each block (see `images/slot/verity.ts`). */
  readonly leaves: string
}

/** A file in the store, by its path there. */
export interface FileInStore {
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly digest: Digest
}

export type BootFile = FileInStore | { readonly text: string }

/** A planned image whose derivations have run. */
export type RealisedImage<Image extends PlannedImage = PlannedImage> = Omit<
  Image,
  'host' | 'layers' | 'bootFiles' | 'sbom'
> & {
  readonly host: string
  readonly layers: readonly RealisedLayer[]
  readonly bootFiles: Readonly<Record<string, FileInStore>>
  readonly sbom: Omit<FileInStore, 'size'>
  readonly signing: Signing
  /** The state of the output directory: a platform need not hash a file again that stays as it is. */
  readonly state: OutputState
}

/** An image that was assembled before, by its recorded parts. */
export interface RecordedImage {
  readonly host: string
  readonly slotSize: number
  readonly layers: readonly RealisedLayer[]
  /** All boot files in their order, manifest and signature among them. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** Files beside the images: name -> text. */
  readonly texts: Readonly<Record<string, string>>
  readonly state: OutputState
}

/** The planned content of an output directory; nothing is written yet. */
export interface Assembly {
  /** Identifies the image: on a Pi the root hash of its slot. */
  readonly root: Digest
  /** Bytes of the slot that the image fills. */
  readonly size: number
  /** Every boot file in its order, those that the platform adds among them. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** Files beside the images: the manifest, its signature, the SBOM. */
  readonly texts: Readonly<Record<string, string | Uint8Array>>
  /** Every file of the output directory but SHA256SUMS. */
  readonly files: Readonly<Record<string, OutputFile>>
}

/** The facts that a manifest signs, in the same form for every platform. */
export interface SignedFacts {
  readonly host: string
  readonly board: string
  readonly root: Digest
  /** Bytes of the slot that the image fills. */
  readonly size: number
  readonly signature: 'signed' | 'unsigned'
  readonly layers: readonly NamedObject[]
  /** Boot files in any order, without those of `bootTexts`. */
  readonly bootFiles: readonly NamedObject[]
  /** Texts beside the images that are also boot files: a manifest cannot name its own digest. */
  readonly bootTexts: readonly string[]
  /** Output files whose sums the manifest signs. */
  readonly outputs: Readonly<Record<string, Digest>>
}

export interface NamedObject {
  readonly name: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
}
