import { z } from 'zod'
import type { Digest } from '../../images/digest.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'wanted 64 hexadecimal digits') as unknown as z.ZodType<Digest>
const bytes = z.number().int().nonnegative()

/** A whole file that is an object of the store. */
const stored = z.strictObject({ name: z.string(), digest, size: bytes })

/**
 * What a generation's image is put together from. Every digest but those in `outputs` names an object of the store; none
 * of them may go as long as the generation is kept.
 */
export const parts = z.strictObject({
  /** Bytes of a slot's partition: with the host's name all that decides the disk's layout. */
  slotSize: bytes,
  /** In the slot's order. */
  layers: z.array(stored.extend({ leaves: z.strictObject({ digest, size: bytes }) })),
  /** The whole boot file system in the order in which its files lie, command line, manifest and signature among them. */
  boot: z.array(stored),
  /** What lies beside the images in the output directory: manifest, its signature where it is signed, whatever follows. */
  texts: z.array(stored),
  /** Every file of the output directory but SHA256SUMS; no `sha256` where a block map covers the file. */
  outputs: z.array(z.strictObject({ name: z.string(), size: bytes, sha256: digest.optional() })),
  /** Objects that say what it was built from: the lock's text, the graph of derivations. Null where it was not built here. */
  origin: z.nullable(z.strictObject({ lock: digest, graph: digest })),
})

export type Parts = z.infer<typeof parts>
export type StoredFile = z.infer<typeof stored>
export type StoredLayer = Parts['layers'][number]

export const MANIFEST = 'manifest.json'
export const SIGNATURE = 'manifest.json.sig'

/** The object that a part's text is; undefined where there is none of that name. */
export function textOf({ texts }: Parts, name: string): StoredFile | undefined {
  return texts.find((each) => each.name === name)
}

/** Every object that the record itself names, with its size where that is known. */
export function objectsOf({ layers, boot, texts, origin }: Parts): Map<Digest, number | undefined> {
  return new Map([
    ...[...layers, ...layers.map(({ leaves }) => leaves), ...boot, ...texts].map(
      (each) => [each.digest, each.size] as const,
    ),
    ...(origin === null ? [] : [origin.lock, origin.graph].map((each) => [each, undefined] as const)),
  ])
}
