import { z } from 'zod'
import type { Digest } from '../../images/digest.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'wanted 64 hexadecimal digits') as unknown as z.ZodType<Digest>
const bytes = z.number().int().nonnegative()

/** A file whose content is an object of the store. */
const stored = z.strictObject({ name: z.string(), digest, size: bytes })

/**
 * The files that hangar assembles a generation's image from. Every digest, except in `outputs`, names an object of the
 * store. `gc` keeps these objects as long as it keeps the generation.
 */
export const parts = z.strictObject({
  /**
   * The name of the platform that assembles the image. It is absent for the platform `FIRST_PLATFORM` (see
   * `platforms/registry.ts`).
   */
  platform: z.string().optional(),
  /** The size of a slot on the host's disk, in bytes. The slot size and the host's name decide the disk layout. */
  slotSize: bytes,
  /** The layers, in the order in which they follow each other in the slot. */
  layers: z.array(stored.extend({ leaves: z.strictObject({ digest, size: bytes }) })),
  /**
   * Every boot file, in the order in the boot file system. On a Pi this includes the command line, the manifest and its
   * signature.
   */
  boot: z.array(stored),
  /** The text files of the output directory: the manifest, its signature and the SBOM. */
  texts: z.array(stored),
  /** Every file of the output directory except SHA256SUMS. A file that a block map covers has no `sha256`. */
  outputs: z.array(z.strictObject({ name: z.string(), size: bytes, sha256: digest.optional() })),
  /**
   * The digests of two objects: the text of the lock file, and the dependency graph. Null for an image that another
   * machine built.
   */
  origin: z.nullable(z.strictObject({ lock: digest, graph: digest })),
})

export type Parts = z.infer<typeof parts>
export type StoredFile = z.infer<typeof stored>
export type StoredLayer = Parts['layers'][number]

export const MANIFEST = 'manifest.json'
export const SIGNATURE = 'manifest.json.sig'

/** The text file with this name; undefined if the image has no such file. */
export function textOf({ texts }: Parts, name: string): StoredFile | undefined {
  return texts.find((each) => each.name === name)
}

/** Every object that the parts name -> its size in bytes, undefined if the parts do not state the size. */
export function objectsOf({ layers, boot, texts, origin }: Parts): Map<Digest, number | undefined> {
  return new Map([
    ...[...layers, ...layers.map(({ leaves }) => leaves), ...boot, ...texts].map(
      (each) => [each.digest, each.size] as const,
    ),
    ...(origin === null ? [] : [origin.lock, origin.graph].map((each) => [each, undefined] as const)),
  ])
}
