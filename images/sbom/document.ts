import { canonicalJson } from '../canonical.ts'
import { type Digest, digestOf, short } from '../digest.ts'
import type { Manifest } from '../manifest.ts'
import { EPOCH } from '../reproducible.ts'
import type { OtherLicence } from './declared.ts'
import { describeImage } from './describe-parts.ts'
import type { Described } from './spdx.ts'

/** The SBOM among the outputs of a build: SPDX 2.3 as JSON, one line per package. */
export const SBOM_FILE = 'sbom.spdx.json'

/** The output file of the `sbom` derivation: the document without its head. */
export const REST_FILE = 'rest.json'

/**
 * The document without its head. It starts inside the list of packages, and contains everything that does not depend on
 * the digests of this build. A derivation writes it, so that most builds reuse it and write only the head.
 */
export function restText({ packages, relationships }: Described, licences: readonly OtherLicence[]): string {
  const found = onceSorted(packages, ({ SPDXID }) => SPDXID)
  const related = onceSorted(relationships, (each) => Object.values(each).join(' '))
  return [
    `${found.map((each) => `,\n${line(each)}`).join('')}\n  ],`,
    `  "relationships": [\n${related.map(line).join(',\n')}\n  ],`,
    `  "hasExtractedLicensingInfos": [\n${licences.map(line).join(',\n')}\n  ]`,
    '}\n',
  ].join('\n')
}

/** The whole document. The same image gives the same bytes on every builder. */
export function sbomBytes(
  manifest: Manifest,
  rest: { readonly bytes: Uint8Array; readonly digest: Digest },
): Uint8Array {
  const packages = describeImage(manifest).map(line).join(',\n')
  const { host, slot } = manifest
  // Each document needs its own namespace. Documents with the same root hash can differ in boot files and licences.
  const document = short(digestOf(`${packages}\n${rest.digest}`))
  const head = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: host,
    documentNamespace: `https://spdx.org/spdxdocs/hangar-${host}-${slot.root}-${document}`,
    creationInfo: { created: CREATED, creators: ['Tool: hangar'] },
    comment: COMMENT,
  }
  const fields = Object.entries(head).map(([name, value]) => `  "${name}": ${canonicalJson(value)},\n`)
  return Buffer.concat([Buffer.from(`{\n${fields.join('')}  "packages": [\n${packages}`), rest.bytes])
}

const CREATED = new Date(EPOCH * 1000).toISOString().replace('.000', '')

const COMMENT =
  "licenseDeclared of a Debian package is all that its machine-readable copyright file names, for all files of its source: Debian's standard short names in SPDX's, everything else as the file words it. Nothing was concluded from other files."

function line(value: object): string {
  return `    ${canonicalJson(value as never)}`
}

function onceSorted<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const once = new Map(items.map((item) => [keyOf(item), item]))
  return [...once.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}
