import { digestOf, short } from '../digest.ts'
import { hexOf } from '../npm/integrity.ts'
import type { BundledPackage, NpmPackage } from '../npm/npm-package.ts'
import type { OtherLicence } from './declared.ts'
import { npmLicence } from './npm-licence.ts'
import { npmPurl } from './purl.ts'
import { type Described, elementId, type SpdxPackage } from './spdx.ts'

/** The ids of npm packages, and of the packages inside their tarballs. */
export function npmIds(packages: readonly NpmPackage[]): string[] {
  return packages.flatMap((each) => [npmId(each), ...each.bundled.map(npmId)])
}

/** Describes npm packages without duplicates, and the packages inside their tarballs. */
export function describeNpm(packages: readonly NpmPackage[]): Described & { readonly licences: OtherLicence[] } {
  const found = packages.flatMap((each) => [
    describe(each, [
      { algorithm: 'SHA256', checksumValue: each.sha256 },
      { algorithm: 'SHA512', checksumValue: hexOf(each.integrity) },
    ]),
    ...each.bundled.map((bundled) => describe(bundled)),
  ])
  const once = new Map(found.map((each) => [each.package.SPDXID, each]))
  return {
    packages: [...once.values()].map((each) => each.package),
    relationships: [],
    licences: [...once.values()].flatMap(({ other }) => other ?? []),
  }
}

/** The id depends on the integrity, if there is one: two registries can have different packages with one name and version. */
function npmId({ package: name, version, ...rest }: BundledPackage | NpmPackage): string {
  const integrity = 'integrity' in rest ? rest.integrity : 'bundled'
  return elementId('npm', name, version, short(digestOf(`${name}@${version} ${integrity}`)))
}

function describe(item: BundledPackage | NpmPackage, checksums?: SpdxPackage['checksums']) {
  const { package: name, version } = item
  const { expression, other } = npmLicence(item.license)
  const described: SpdxPackage = {
    SPDXID: npmId(item),
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    ...(checksums === undefined ? {} : { checksums }),
    licenseDeclared: expression,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: npmPurl(name, version) },
    ],
    primaryPackagePurpose: 'LIBRARY',
  }
  return { package: described, other }
}
