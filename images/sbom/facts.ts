import { parseRelations } from '../debian/relation.ts'
import { byId, declaredLicence, type OtherLicence } from './declared.ts'
import { type PackageStatement, statementKey } from './statement.ts'

export interface SourcePackage {
  readonly name: string
  readonly version: string
}

/** Information about a package that is not in the lock. */
export interface PackageFacts extends Pick<PackageStatement, 'package' | 'version' | 'architecture' | 'homepage'> {
  readonly source: SourcePackage
  /** Sources in Built-Using: the archive must keep them as long as the package. */
  readonly builtUsing: readonly SourcePackage[]
  /** Sources in Static-Built-Using: they are linked statically, as in Go programs. */
  readonly linked: readonly SourcePackage[]
  /** SPDX licence expression. Undefined if the copyright file is not machine-readable. */
  readonly licence: string | undefined
}

export interface Facts {
  readonly packages: readonly PackageFacts[]
  /** The licences behind each LicenseRef in the expressions, sorted by id. */
  readonly licences: readonly OtherLicence[]
}

/** Parses statements. A package can have several statements, and only some of them may have its copyright file. */
export function factsOf(statements: readonly PackageStatement[]): Facts {
  const licences: OtherLicence[] = []
  const packages = fullest(statements).map((statement) => {
    const declared = declaredLicence(statement.copyright ?? '')
    licences.push(...(declared?.others ?? []))
    return factsAbout(statement, declared?.expression)
  })
  return { packages, licences: byId(licences) }
}

/** One statement per package, with a copyright file if any has it. Some packages link to the copyright file of another package, which is not in every layer. */
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

/** deb-control(5): `Source: NAME (VERSION)`. Name and version are omitted if they equal the package's. */
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
