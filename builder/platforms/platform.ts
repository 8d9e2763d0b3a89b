import type { Digest } from '../../images/digest.ts'
import type { PlannedImage } from '../host-plan.ts'
import type { Signing } from '../keys/owner-keys.ts'
import type { OutputFile } from '../outputs/outputs.ts'
import type { OutputState } from '../outputs/state.ts'

/**
 * The builder's part of a platform. It decides which files an image has in the output directory, and which facts its
 * manifest signs. A platform only plans: `assemble.ts` writes the files, `generations` records them, `publish` sends
 * them.
 */
export interface Platform<Image extends PlannedImage = PlannedImage> {
  /** The platform's name in host plans, generation records and published images. */
  readonly name: string
  /**
   * Plans the output files of an image whose derivations have just run, and signs its manifest. Throws 'size' if the
   * image does not fit.
   */
  readonly assemble: (image: RealisedImage<Image>) => Assembly
  /** Plans the output files of a recorded image. Needs no key, because the recorded texts contain the signature. */
  readonly reassemble: (image: RecordedImage) => Assembly
  /** Reads the platform's manifest; throws 'format' when the text is not one. */
  readonly readManifest: (text: string, where: string) => SignedFacts
  /** Whether images for a board may be published. Images that contain keys in clear text may not. */
  readonly isPublic: (board: string) => boolean
  /** The names of the image files in the output directory. No text file may have one of these names. */
  readonly images: (host: string) => DiskImages
  /** Boot files that `diff` compares: file name -> a function that removes the text that differs in every build. */
  readonly comparedFiles: Readonly<Record<string, (text: string) => string>>
}

export interface DiskImages {
  /** The image for a new disk; `export` compresses it. */
  readonly disk: string
  /** The image of the slot, as an update sends it. */
  readonly slot: string
  /** The image of the boot files; undefined on platforms that have none. */
  readonly boot: string | undefined
  /** Further files that hangar makes from the images, such as a block map. */
  readonly others: readonly string[]
}

/** A layer in the store; `file` and `leaves` are paths. */
export interface RealisedLayer {
  readonly name: string
  readonly file: string
  /** The size in bytes. */
  readonly size: number
  readonly digest: Digest
  /** The path of the file with the SHA-256 of each block (see `images/slot/verity.ts`). */
  readonly leaves: string
}

/** A file in the store. `file` is its path. */
export interface FileInStore {
  readonly file: string
  /** The size in bytes. */
  readonly size: number
  readonly digest: Digest
}

export type BootFile = FileInStore | { readonly text: string }

/** A planned image after its derivations have run. */
export type RealisedImage<Image extends PlannedImage = PlannedImage> = Omit<
  Image,
  'host' | 'layers' | 'bootFiles' | 'sbom'
> & {
  readonly host: string
  readonly layers: readonly RealisedLayer[]
  readonly bootFiles: Readonly<Record<string, FileInStore>>
  readonly sbom: Omit<FileInStore, 'size'>
  readonly signing: Signing
  /** The state of the output directory, so that a platform does not hash unchanged files again. */
  readonly state: OutputState
}

/** An image that hangar assembled before, described by the files in its record. */
export interface RecordedImage {
  readonly host: string
  readonly slotSize: number
  readonly layers: readonly RealisedLayer[]
  /** All boot files in their order in the boot file system, including manifest and signature. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** The text files of the output directory: name -> text. */
  readonly texts: Readonly<Record<string, string>>
  readonly state: OutputState
}

/** The planned content of an output directory, before hangar writes it. */
export interface Assembly {
  /** Identifies the image; on a Pi it is the root hash of the slot. */
  readonly root: Digest
  /** The part of the slot that the image fills, in bytes. */
  readonly size: number
  /** Every boot file in its order in the boot file system, including the files that the platform adds. */
  readonly boot: Readonly<Record<string, BootFile>>
  /** The text files of the output directory: the manifest, its signature and the SBOM. */
  readonly texts: Readonly<Record<string, string | Uint8Array>>
  /** Every file of the output directory except SHA256SUMS. */
  readonly files: Readonly<Record<string, OutputFile>>
}

/** The facts that a manifest signs, in the same form for every platform. */
export interface SignedFacts {
  readonly host: string
  readonly board: string
  readonly root: Digest
  /** The part of the slot that the image fills, in bytes. */
  readonly size: number
  readonly signature: 'signed' | 'unsigned'
  readonly layers: readonly NamedObject[]
  /** The boot files except `bootTexts`, in any order. */
  readonly bootFiles: readonly NamedObject[]
  /** The texts that are also boot files, such as the manifest itself: a manifest cannot contain its own digest. */
  readonly bootTexts: readonly string[]
  /** The SHA-256 of the output files that the manifest covers. */
  readonly outputs: Readonly<Record<string, Digest>>
}

export interface NamedObject {
  readonly name: string
  readonly digest: Digest
  /** The size in bytes. */
  readonly size: number
}
