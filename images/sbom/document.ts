import { canonicalJson } from '../canonical.ts'
import { type Digest, digestOf, short } from '../digest.ts'
import { EPOCH } from '../epoch.ts'
import type { Manifest } from '../manifest.ts'
import type { OtherLicence } from './declared.ts'
import { describeImage } from './describe-parts.ts'
import type { Described } from './spdx.ts'

/** The file among a build's outputs that says what is in the image: SPDX 2.3 as JSON, one line a package. */
export const SBOM_FILE = 'sbom.spdx.json'

/** Where the `sbom` derivation leaves the rest of the document. */
export const REST_FILE = 'rest.json'

/**
 * The document's end, from within its list of packages: all that needs no digest of this build, which is nearly
 * everything. It is made apart so that a build that changes something else has only the beginning to write.
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

/** The whole document: the same bytes for the same image, whenever and wherever it is built. */
export function sbomBytes(
  manifest: Manifest,
  rest: { readonly bytes: Uint8Array; readonly digest: Digest },
): Uint8Array {
  const packages = describeImage(manifest).map(line).join(',\n')
  const { host, slot } = manifest
  // One namespace, one document: under the same root hash boot files may differ, or what is known of licences.
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
