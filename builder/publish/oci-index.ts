import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { canonicalJson, type Json } from '../../images/canonical.ts'
import type { Digest } from '../../images/digest.ts'
import { ARTIFACT_TYPE, MANIFEST_TYPE } from './published-image.ts'
import type { Blob } from './repository.ts'

/** The `index.json` of an OCI image layout. hangar leaves the entries of other tools unchanged. */
export interface OciIndex {
  readonly manifests: readonly OciEntry[]
}

interface OciEntry {
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

const TAG = 'org.opencontainers.image.ref.name'

const index = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(z.looseObject({ digest: z.string(), annotations: z.record(z.string(), z.string()).optional() })),
})

export const EMPTY_INDEX: OciIndex = { manifests: [] }

export function parseOciIndex(text: string, where: string): OciIndex {
  try {
    return index.parse(JSON.parse(text)) as OciIndex
  } catch (cause) {
    throw new UserError('format', `'${where}' is not the index of an OCI image layout`, {
      hint: 'publish to another directory, or move the file away and publish every image again',
      cause,
    })
  }
}

export function ociIndexText({ manifests }: OciIndex): string {
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  return canonicalJson({ schemaVersion: 2, mediaType, manifests: manifests as unknown as Json })
}

/** The digest of the manifest that a tag names; undefined if the index has no such tag. */
export function referenced({ manifests }: OciIndex, tag: string): Digest | undefined {
  const digest = manifests.find((each) => each.annotations?.[TAG] === tag)?.digest
  return digest === undefined ? undefined : (digest.slice('sha256:'.length) as Digest)
}

/** Returns the index with the tag on this manifest, and on no other manifest. */
export function tagged({ manifests }: OciIndex, tag: string, { digest, size }: Blob): OciIndex {
  const others = manifests.filter((each) => each.annotations?.[TAG] !== tag)
  const entry = { mediaType: MANIFEST_TYPE, artifactType: ARTIFACT_TYPE, digest: `sha256:${digest}`, size }
  return { manifests: [...others, { ...entry, annotations: { [TAG]: tag } }] }
}

export function tagsOf({ manifests }: OciIndex): string[] {
  return manifests.flatMap((each) => each.annotations?.[TAG] ?? []).sort()
}
