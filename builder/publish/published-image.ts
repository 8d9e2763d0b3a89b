import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { canonicalJson, type Json } from '../../images/canonical.ts'
import { type Digest, isDigest } from '../../images/digest.ts'
import { type Parts, parts } from '../generations/parts.ts'

/** The purpose of a file. A `text` is a text file of the output directory: manifest, signature, SBOM or SHA256SUMS. */
export type Role = 'layer' | 'boot' | 'text'

/** A file of a published image. The repository stores each file as a blob. */
export interface PublishedFile {
  readonly role: Role
  /** The name of the file in the image: `base`, `config.txt`, `manifest.json`. */
  readonly name: string
  readonly digest: Digest
  /** The size in bytes. */
  readonly size: number
}

/** A published generation: an OCI artifact with a blob for each layer, boot file and text. */
export interface PublishedImage {
  /** The blob with the `PublishedFacts` of the image. */
  readonly facts: { readonly digest: Digest; readonly size: number }
  /** The files of the image; layers and boot files are in the order that they have in the image. */
  readonly files: readonly PublishedFile[]
}

/** Facts about a published image that its files do not contain. */
export interface PublishedFacts {
  /**
   * The name of the platform that assembles the image. It is absent for `FIRST_PLATFORM` (see `platforms/registry.ts`).
   */
  readonly platform?: string | undefined
  readonly host: string
  /** The root hash of the slot. */
  readonly root: Digest
  /** The size of a slot on the host's disk, in bytes. */
  readonly slotSize: number
  /** The files of the assembled output directory, except SHA256SUMS. */
  readonly outputs: Parts['outputs']
  /** The time of the first build, in ISO 8601. */
  readonly built: string
  /** The project's git revision at the build; null if hangar does not know the revision. */
  readonly revision: string | null
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const ARTIFACT_TYPE = 'application/vnd.hangar.image.v1'
export const FACTS_TYPE = 'application/vnd.hangar.facts.v1+json'

/** SHA256SUMS of the output directory, for users. hangar itself uses the sums in the facts. */
export const SUMS = 'SHA256SUMS'

const ROLES: Readonly<Record<Role, string>> = {
  layer: 'application/vnd.hangar.layer.v1.erofs',
  boot: 'application/vnd.hangar.boot.v1',
  text: 'application/vnd.hangar.text.v1',
}
const TITLE = 'org.opencontainers.image.title'

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'wanted sha256: and 64 hexadecimal digits')
  .transform((text) => text.slice('sha256:'.length) as Digest)
const size = z.number().int().nonnegative()
const FORMAT = 1

const ociManifest = z.object({
  artifactType: z.literal(ARTIFACT_TYPE),
  config: z.object({ mediaType: z.literal(FACTS_TYPE), digest, size }),
  layers: z.array(z.object({ mediaType: z.string(), digest, size, annotations: z.record(z.string(), z.string()) })),
})

const facts = z.strictObject({
  format: z.literal(FORMAT),
  platform: z.string().optional(),
  host: z.string(),
  root: z.string().refine(isDigest) as unknown as z.ZodType<Digest>,
  slotSize: z.number().int().positive(),
  outputs: parts.shape.outputs,
  built: z.iso.datetime(),
  revision: z.string().nullable(),
})

/** The text of the OCI manifest. The same image gives the same bytes. */
export function publishedImageText({ facts: { digest: of, size: bytes }, files }: PublishedImage): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: FACTS_TYPE, digest: `sha256:${of}`, size: bytes },
    layers: files.map((file) => ({
      mediaType: ROLES[file.role],
      digest: `sha256:${file.digest}`,
      size: file.size,
      annotations: { [TITLE]: file.name },
    })),
  })
}

/** Parses an OCI manifest. Skips files of a kind that this version of hangar does not know. */
export function parsePublishedImage(text: string, where: string): PublishedImage {
  const json = parseJson(text, where)
  const found = (json as { artifactType?: unknown } | null)?.artifactType
  if (found !== ARTIFACT_TYPE) throw unreadable(where, `its type is ${JSON.stringify(found ?? null)}`)
  const { config, layers } = checked(ociManifest, json, where)
  const files = layers.flatMap(({ mediaType, digest: of, size: bytes, annotations }): PublishedFile[] => {
    const role = (Object.keys(ROLES) as Role[]).find((each) => ROLES[each] === mediaType)
    return role === undefined ? [] : [{ role, name: annotations[TITLE] ?? '', digest: of, size: bytes }]
  })
  return { facts: { digest: config.digest, size: config.size }, files }
}

export function publishedFactsText(value: PublishedFacts): string {
  return canonicalJson({ format: FORMAT, ...value } as Json)
}

export function parsePublishedFacts(text: string, where: string): PublishedFacts {
  const { format: _, ...value } = checked(facts, parseJson(text, where), where)
  return value
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unreadable(where, `it is not JSON: ${(cause as Error).message}`)
  }
}

function checked<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw unreadable(where, `its field '${issue?.path.join('.')}' is wrong: ${issue?.message}`)
}

function unreadable(where: string, reason: string): UserError {
  return new UserError('format', `cannot read ${where} as an image: ${reason}, wanted ${ARTIFACT_TYPE}`, {
    hint: 'check the name and the tag, or publish the image again with this revision of hangar',
  })
}
