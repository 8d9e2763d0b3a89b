import type { SuiteIndex } from '../../builder/sources/debian/archive/packages.ts'
import { SUITES } from '../../builder/sources/debian/archive/suites.ts'
import { type Catalogue, catalogueOf } from '../../builder/sources/debian/resolve/catalogue.ts'
import type { Architecture } from '../../images/architecture.ts'
import { parseParagraph } from '../../images/debian/control.ts'
import { packageIndex } from '../../images/debian/package-index.ts'
import { packagesText, releaseText, type TestPackage } from './small-archive.ts'

/** The catalogue that hangar reads from suites with these packages. */
export function smallCatalogue(packages: readonly TestPackage[], architecture: Architecture = 'arm64'): Catalogue {
  const indices = SUITES.map((suite): SuiteIndex => {
    const release = { suite, fields: parseParagraph(releaseText(suite, [], {})), date: '', time: 0, files: new Map() }
    return { suite, release, packages: packageIndex(Buffer.from(packagesText(packages, suite, architecture))) }
  })
  return catalogueOf(indices, architecture)
}
