import { digestOf, short } from '../digest.ts'
import type { LockedPackage } from '../lock.ts'
import type { Facts, PackageFacts, SourcePackage } from './facts.ts'
import { debPurl, sourcePurl } from './purl.ts'
import { type Described, elementId, joined, relationship, type SpdxPackage } from './spdx.ts'
import { statementKey } from './statement.ts'

/** Debian packages, each once, with the sources that are known to be parts of them. */
export function describePackages(packages: readonly LockedPackage[], facts: Facts): Described {
  const known = new Map(facts.packages.map((each) => [statementKey(each), each]))
  const once = new Map(packages.map((item) => [packageId(item), item]))
  return joined([...once.values()].map((item) => describePackage(item, factsAbout(item, known))))
}

/** By the file's digest: a version may hold what no id can. */
export function packageId(item: LockedPackage): string {
  return elementId('deb', item.package, short(item.sha256))
}

function factsAbout(item: LockedPackage, known: ReadonlyMap<string, PackageFacts>): PackageFacts {
  const found = known.get(statementKey(item))
  if (found === undefined) throw new Error(`nobody unpacked '${statementKey(item)}', which is said to be in the image`)
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
    // What is no address would make the whole document invalid.
    homepage: homepage !== undefined && /^https?:\/\/\S+$/.test(homepage) ? homepage : undefined,
    checksums: [{ algorithm: 'SHA256', checksumValue: item.sha256 }],
    licenseDeclared: licence ?? 'NOASSERTION',
    // Trivy reads the source package from these very words.
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
