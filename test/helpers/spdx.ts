import parse from 'spdx-expression-parse'
import { expect } from 'vitest'
import { z } from 'zod'

// The parts of "SPDX Specification 2.3" (clauses 6 to 11 and annex D) that hangar's documents use. This schema is stricter
// than the official JSON schema: it also checks the formats of ids, dates and checksums.
const id = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/)
const uri = /^[a-z][a-z0-9+.-]*:\S+$/
const expression = z.string().refine((text) => text === 'NOASSERTION' || text === 'NONE' || isExpression(text))

const spdxPackage = z.strictObject({
  SPDXID: id,
  name: z.string().min(1),
  versionInfo: z.string().min(1).optional(),
  packageFileName: z.string().min(1).optional(),
  supplier: z
    .string()
    .regex(/^(Person|Organization): .+$|^NOASSERTION$/)
    .optional(),
  downloadLocation: z.enum(['NOASSERTION', 'NONE']),
  filesAnalyzed: z.literal(false),
  homepage: z.string().regex(uri).optional(),
  checksums: z
    .array(z.strictObject({ algorithm: z.literal('SHA256'), checksumValue: z.string().regex(/^[0-9a-f]{64}$/) }))
    .optional(),
  licenseDeclared: expression,
  sourceInfo: z.string().optional(),
  externalRefs: z
    .array(
      z.strictObject({
        referenceCategory: z.literal('PACKAGE-MANAGER'),
        referenceType: z.literal('purl'),
        referenceLocator: z.string().regex(/^pkg:[a-z]+\/[^\s?]+@[^\s?@]+(\?[a-z]+=[^\s&]+(&[a-z]+=[^\s&]+)*)?$/),
      }),
    )
    .optional(),
  primaryPackagePurpose: z
    .enum(['APPLICATION', 'CONTAINER', 'FILE', 'INSTALL', 'OPERATING_SYSTEM', 'SOURCE'])
    .optional(),
})

const document = z.strictObject({
  spdxVersion: z.literal('SPDX-2.3'),
  dataLicense: z.literal('CC0-1.0'),
  SPDXID: z.literal('SPDXRef-DOCUMENT'),
  name: z.string().min(1),
  documentNamespace: z
    .string()
    .regex(uri)
    .regex(/^[^#]+$/),
  creationInfo: z.strictObject({
    created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    creators: z.array(z.string().regex(/^(Person|Organization|Tool): .+$/)).min(1),
  }),
  comment: z.string(),
  packages: z.array(spdxPackage),
  relationships: z.array(
    z.strictObject({
      spdxElementId: id,
      relationshipType: z.enum(['DESCRIBES', 'CONTAINS', 'GENERATED_FROM', 'STATIC_LINK']),
      relatedSpdxElement: id,
    }),
  ),
  hasExtractedLicensingInfos: z.array(
    z.strictObject({
      licenseId: z.string().regex(/^LicenseRef-[A-Za-z0-9.-]+$/),
      name: z.string().min(1),
      extractedText: z.string().min(1),
    }),
  ),
})
export type Spdx = z.infer<typeof document>

/** Parses a document. Throws if it is invalid, or if an id that it refers to is missing. */
export function parseSpdx(text: string): Spdx {
  const spdx = document.parse(JSON.parse(text))
  const ids = ['SPDXRef-DOCUMENT', ...spdx.packages.map(({ SPDXID }) => SPDXID)]
  expect(new Set(ids).size, 'ids are unique').toBe(ids.length)
  const ends = spdx.relationships.flatMap((each) => [each.spdxElementId, each.relatedSpdxElement])
  expect(missing(ends, ids), 'relationships refer to existing elements').toEqual([])
  expect(missing(ids, ends), 'every element has a relationship').toEqual([])
  const licences = spdx.hasExtractedLicensingInfos.map(({ licenseId }) => licenseId)
  const referred = spdx.packages.flatMap(({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-[\w.-]+/g) ?? [])
  expect(new Set(licences).size, 'licence ids are unique').toBe(licences.length)
  expect(missing(referred, licences), 'every LicenseRef has a text').toEqual([])
  expect(missing(licences, referred), 'every licence text is referred to').toEqual([])
  return spdx
}

/** Sorted names of the packages to which the named package has the relationship. */
export function related(spdx: Spdx, name: string, type: Spdx['relationships'][number]['relationshipType']): string[] {
  const named = new Map(spdx.packages.map((each) => [each.SPDXID, each.name]))
  return spdx.relationships
    .filter((each) => each.relationshipType === type && named.get(each.spdxElementId) === name)
    .map((each) => named.get(each.relatedSpdxElement) ?? '')
    .sort()
}

function missing(wanted: readonly string[], found: readonly string[]): string[] {
  const known = new Set(found)
  return wanted.filter((each) => !known.has(each))
}

function isExpression(text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}
