/** A package in SPDX 2.3 JSON, with the fields that hangar uses. */
export interface SpdxPackage {
  readonly SPDXID: string
  readonly name: string
  readonly versionInfo?: string | undefined
  readonly packageFileName?: string | undefined
  readonly supplier?: string | undefined
  readonly downloadLocation: 'NOASSERTION' | 'NONE'
  /** The document does not list single files. */
  readonly filesAnalyzed: false
  readonly homepage?: string | undefined
  readonly checksums?: readonly { readonly algorithm: 'SHA256' | 'SHA512'; readonly checksumValue: string }[]
  readonly licenseDeclared: string
  readonly sourceInfo?: string | undefined
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER'
    readonly referenceType: 'purl'
    readonly referenceLocator: string
  }[]
  readonly primaryPackagePurpose?:
    | 'APPLICATION'
    | 'CONTAINER'
    | 'FILE'
    | 'INSTALL'
    | 'LIBRARY'
    | 'OPERATING_SYSTEM'
    | 'SOURCE'
}

/** A relationship between two elements. */
export interface SpdxRelationship {
  readonly spdxElementId: string
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS' | 'GENERATED_FROM' | 'STATIC_LINK'
  readonly relatedSpdxElement: string
}

/** A fragment of a document. */
export interface Described {
  readonly packages: readonly SpdxPackage[]
  readonly relationships: readonly SpdxRelationship[]
}

/** An SPDX id. It can have only letters, digits, `.` and `-`. */
export function elementId(...parts: readonly string[]): string {
  return `SPDXRef-${parts.map((part) => part.replace(/[^A-Za-z0-9.]+/g, '-')).join('-')}`
}

export function relationship(
  spdxElementId: string,
  relationshipType: SpdxRelationship['relationshipType'],
  relatedSpdxElement: string,
): SpdxRelationship {
  return { spdxElementId, relationshipType, relatedSpdxElement }
}

export function joined(parts: readonly Described[]): Described {
  return {
    packages: parts.flatMap(({ packages }) => packages),
    relationships: parts.flatMap(({ relationships }) => relationships),
  }
}
