import { digestOf, short } from '../digest.ts'
import type { LockedPackage } from '../lock.ts'
import type { Facts, PackageFacts, SourcePackage } from './facts.ts'
import { debPurl, sourcePurl } from './purl.ts'
import { type Described, elementId, joined, relationship, type SpdxPackage } from './spdx.ts'
import { statementKey } from './statement.ts'

/** Describes Debian packages without duplicates, and the sources that are built into them. */
export function describePackages(packages: readonly LockedPackage[], facts: Facts): Described {
  const known = new Map(facts.packages.map((each) => [statementKey(each), each]))
  const once = new Map(packages.map((item) => [packageId(item), item]))
  return joined([...once.values()].map((item) => describePackage(item, factsAbout(item, known))))
}

/** The id contains the digest, because a version can have characters that an id cannot. */
export function packageId(item: LockedPackage): string {
  return elementId('deb', item.package, short(item.sha256))
}

function factsAbout(item: LockedPackage, known: ReadonlyMap<string, PackageFacts>): PackageFacts {
  const found = known.get(statementKey(item))
  if (found === undefined)
    throw new Error(`no step has written the statement of package '${statementKey(item)}', which is in the image`)
  return found
}

function describePackage(
  item: LockedPackage,
  { source, homepage, licence, builtUsing, linked }: PackageFacts,
): Described {
  const id = packageId(item)
  const described: SpdxPackage = {
    SPDXID: id,
    name: item.package,
    versionInfo: item.version,
    packageFileName: item.path.split('/').at(-1),
    supplier: 'Organization: Debian',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    // An invalid URL would make the whole document invalid.
    homepage: homepage !== undefined && /^https?:\/\/\S+$/.test(homepage) ? homepage : undefined,
    checksums: [{ algorithm: 'SHA256', checksumValue: item.sha256 }],
    licenseDeclared: licence ?? 'NOASSERTION',
    // Trivy parses the source package from exactly this text.
    sourceInfo: `built package from: ${source.name} ${source.version}`,
    externalRefs: [purlRef(debPurl(item, source))],
    primaryPackagePurpose: 'INSTALL',
  }
  return {
    packages: [described, ...[...builtUsing, ...linked].map(describeSource)],
    relationships: [
      ...builtUsing.map((each) => relationship(id, 'GENERATED_FROM', sourceId(each))),
      ...linked.map((each) => relationship(id, 'STATIC_LINK', sourceId(each))),
    ],
  }
}

function describeSource(source: SourcePackage): SpdxPackage {
  return {
    SPDXID: sourceId(source),
    name: source.name,
    versionInfo: source.version,
    supplier: 'Organization: Debian',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseDeclared: 'NOASSERTION',
    externalRefs: [purlRef(sourcePurl(source))],
    primaryPackagePurpose: 'SOURCE',
  }
}

function sourceId({ name, version }: SourcePackage): string {
  return elementId('source', name, short(digestOf(`${name} ${version}`)))
}

function purlRef(referenceLocator: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator } as const
}
