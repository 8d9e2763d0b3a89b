import { z } from 'zod'
import type { Digest } from '../../images/digest.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'wanted 64 hexadecimal digits') as unknown as z.ZodType<Digest>
const bytes = z.number().int().nonnegative()

/** A file that is an object of the store. */
const stored = z.strictObject({ name: z.string(), digest, size: bytes })

/**
 * The parts that a generation's image is assembled from. Every digest but those in `outputs` names an object of the
 * store, which `gc` keeps as long as the generation is kept.
 */
export const parts = z.strictObject({
  /** The platform that assembles the image; absent for the first one (see `platforms/registry.ts`). */
  platform: z.string().optional(),
  /** Bytes that the host's disk reserves for one generation. Together with the host's name it decides the disk layout. */
  slotSize: bytes,
  /** In the order of the slot. */
  layers: z.array(stored.extend({ leaves: z.strictObject({ digest, size: bytes }) })),
  /** Every boot file in its order; on a Pi also the command line, the manifest and its signature. */
  boot: z.array(stored),
  /** Files beside the images in the output directory: the manifest, its signature, the SBOM. */
  texts: z.array(stored),
  /** Every file of the output directory but SHA256SUMS; without `sha256` when a block map covers the file. */
  outputs: z.array(z.strictObject({ name: z.string(), size: bytes, sha256: digest.optional() })),
  /** Objects with the lock's text and the graph of derivations. Null for an image that was built elsewhere. */
  origin: z.nullable(z.strictObject({ lock: digest, graph: digest })),
})

export type Parts = z.infer<typeof parts>
export type StoredFile = z.infer<typeof stored>
export type StoredLayer = Parts['layers'][number]

export const MANIFEST = 'manifest.json'
export const SIGNATURE = 'manifest.json.sig'

/** The text of this name; undefined when the image has none. */
export function textOf({ texts }: Parts, name: string): StoredFile | undefined {
  return texts.find((each) => each.name === name)
}

/** Every object that the parts name, with its size in bytes when that is known. */
export function objectsOf({ layers, boot, texts, origin }: Parts): Map<Digest, number | undefined> {
  return new Map([
    ...[...layers, ...layers.map(({ leaves }) => leaves), ...boot, ...texts].map(
      (each) => [each.digest, each.size] as const,
    ),
    ...(origin === null ? [] : [origin.lock, origin.graph].map((each) => [each, undefined] as const)),
  ])
}
