import { parseRelations } from '../debian/relation.ts'
import { declaredLicence, type OtherLicence } from './declared.ts'
import { type PackageStatement, statementKey } from './statement.ts'

export interface SourcePackage {
  readonly name: string
  readonly version: string
}

/** What a document says of a package beside what the lock knows. */
export interface PackageFacts extends Pick<PackageStatement, 'package' | 'version' | 'architecture' | 'homepage'> {
  readonly source: SourcePackage
  /** Other sources that were used in building it and have to be kept with it. */
  readonly builtUsing: readonly SourcePackage[]
  /** Sources that are linked into it statically: Go programs are made of little else. */
  readonly linked: readonly SourcePackage[]
  /** SPDX licence expression; undefined where Debian states none that a machine can read. */
  readonly licence: string | undefined
}

export interface Facts {
  readonly packages: readonly PackageFacts[]
  /** Licences that the expressions refer to, sorted by their ids. */
  readonly licences: readonly OtherLicence[]
}

/** What packages state, read, each once. A package may come several times, and with its copyright file in some only. */
export function factsOf(statements: readonly PackageStatement[]): Facts {
  const licences = new Map<string, OtherLicence>()
  const packages = fullest(statements).map((statement) => {
    const declared = declaredLicence(statement.copyright ?? '')
    for (const each of declared?.others ?? []) licences.set(each.licenseId, each)
    return factsAbout(statement, declared?.expression)
  })
  return { packages, licences: [...licences.values()].sort((a, b) => (a.licenseId < b.licenseId ? -1 : 1)) }
}

/** The copyright file of some packages is another's, which not every layer that they are in holds. */
function fullest(statements: readonly PackageStatement[]): PackageStatement[] {
  const found = new Map<string, PackageStatement>()
  for (const each of statements) {
    const key = statementKey(each)
    if (found.get(key)?.copyright === undefined) found.set(key, each)
  }
  return [...found.values()]
}

function factsAbout(statement: PackageStatement, licence: string | undefined): PackageFacts {
  const { package: name, version, architecture, homepage } = statement
  return {
    package: name,
    version,
    architecture,
    homepage,
    source: sourceOf(statement),
    builtUsing: sourcesIn(statement.builtUsing),
    linked: sourcesIn(statement.staticBuiltUsing),
    licence,
  }
}

/** deb-control(5): `Source: NAME (VERSION)`, each left out where it is the package's own. */
function sourceOf({ package: name, version, source }: PackageStatement): SourcePackage {
  const [, sourceName, sourceVersion] = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(source ?? '') ?? []
  return { name: sourceName ?? name, version: sourceVersion ?? version }
}

/** `NAME (= VERSION), …` */
function sourcesIn(field: string | undefined): SourcePackage[] {
  return parseRelations((field ?? '').replace(/\s+/g, ' '))
    .flat()
    .map(({ package: name, version }) => ({ name, version: version?.wanted ?? '' }))
}
