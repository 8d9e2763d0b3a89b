import { UserError } from '../../../../errors.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import type { Paragraph } from '../../../../images/debian/control.ts'
import { type Alternatives, parseRelations } from '../../../../images/debian/relation.ts'
import { compareVersions } from '../../../../images/debian/version.ts'
import { parseDigest } from '../../../../images/digest.ts'
import type { LockedPackage } from '../../../../images/lock.ts'
import type { PackageSet } from '../../../../images/package-set.ts'
import type { SuiteIndex } from '../archive/packages.ts'
import type { Release } from '../archive/release.ts'

/** One version of a package in a suite. */
export interface Candidate {
  readonly locked: LockedPackage
  readonly paragraph: Paragraph
  /** The relations of Pre-Depends and Depends. */
  readonly depends: readonly Alternatives[]
  readonly provides: readonly Alternatives[]
  /** Whether apt takes the version without a request for its suite. apt takes versions of backports only on request. */
  readonly automatic: boolean
}

/** The packages of all suites for one architecture. */
export interface Catalogue {
  readonly architecture: Architecture
  readonly releases: readonly Release[]
  /**
   * All versions of a package: first the versions that apt takes automatically, and within both groups the newest
   * first. Each version is from the first suite that has it.
   */
  candidates(name: string): readonly Candidate[]
  /** The names of the packages that provide this name in at least one version. */
  providers(name: string): readonly string[]
  essential(): readonly string[]
}

export function catalogueOf(indices: readonly SuiteIndex[], architecture: Architecture): Catalogue {
  const known = new Map<string, readonly Candidate[]>()
  const union = (of: (index: SuiteIndex) => readonly string[]) => [...new Set(indices.flatMap(of))].sort()
  return {
    architecture,
    releases: indices.map(({ release }) => release),
    candidates(name) {
      const found = known.get(name) ?? readCandidates(name, indices)
      known.set(name, found)
      return found
    },
    providers: (name) => union(({ packages }) => packages.providers(name)),
    essential: () => union(({ packages }) => packages.essential()),
  }
}

/** A request of a package set, `PACKAGE` or `PACKAGE/SUITE`, and the version that satisfies it. */
export interface Requested {
  readonly text: string
  readonly candidate: Candidate
}

/** The requests of a set, and the Essential packages if the set includes them. */
export function requestedBy(set: PackageSet, catalogue: Catalogue): Requested[] {
  const essential = set.essential === 'included' ? catalogue.essential() : []
  return [...set.request, ...essential].map((text) => ({ text, candidate: candidateFor(text, set, catalogue) }))
}

function candidateFor(request: string, set: PackageSet, catalogue: Catalogue): Candidate {
  const [name = '', suite] = request.split('/')
  const found = catalogue.candidates(name).find(({ locked }) => suite === undefined || locked.suite === suite)
  if (found !== undefined) return found
  const where = suite === undefined ? 'no suite has' : `suite '${suite}' does not have`
  throw new UserError(
    'lock',
    `package set '${set.name}' asks for '${name}', which ${where} for ${catalogue.architecture}`,
    {
      hint: `correct the name in the host file, or search for it: https://packages.debian.org/${name}`,
    },
  )
}

function readCandidates(name: string, indices: readonly SuiteIndex[]): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const index of indices) {
    for (const paragraph of index.packages.named(name)) {
      const candidate = readCandidate(paragraph, index)
      const key = `${candidate.locked.version}_${candidate.locked.architecture}`
      if (!found.has(key)) found.set(key, candidate)
    }
  }
  const rank = ({ automatic }: Candidate) => (automatic ? 0 : 1)
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || compareVersions(b.locked.version, a.locked.version))
}

function readCandidate(paragraph: Paragraph, { suite, release }: SuiteIndex): Candidate {
  const field = (name: string) => paragraph.get(name) ?? ''
  return {
    locked: {
      archive: suite.archive,
      suite: suite.name,
      package: field('package'),
      version: field('version'),
      architecture: parseArchitecture(field('architecture'), field('package')),
      path: parsePath(field('filename')),
      size: Number(field('size')),
      sha256: parseDigest(field('sha256')),
    },
    paragraph,
    depends: [...parseRelations(field('pre-depends')), ...parseRelations(field('depends'))],
    provides: parseRelations(field('provides')),
    automatic: release.fields.get('notautomatic') !== 'yes',
  }
}

function parseArchitecture(text: string, name: string): LockedPackage['architecture'] {
  if (text === 'amd64' || text === 'arm64' || text === 'all') return text
  throw new UserError('lock', `package '${name}' has architecture '${text}', wanted amd64, arm64 or all`)
}

/** Checks the path, which becomes part of a URL: even a signed index must not lead outside the archive. */
function parsePath(path: string): string {
  if (/^[a-z0-9][^\s\\]*$/i.test(path) && !path.split('/').includes('..')) return path
  throw new UserError('lock', `an index has the file '${path}', wanted a path below the root of the archive`)
}

/** The names that a set treats as installed: its assumed packages, and the names that their newest versions provide. */
export function assumedNames(set: PackageSet, catalogue: Catalogue): ReadonlySet<string> {
  const assumed = assumedPackages(set, catalogue)
  const provided = assumed.flatMap((name) => catalogue.candidates(name)[0]?.provides.flat() ?? [])
  return new Set([...assumed, ...provided.map((relation) => relation.package)])
}

/**
 * The packages that a set assumes. A requested package is installed, never assumed, and the same holds for the assumed
 * packages that it depends on: a request of `perl` brings `perl-base`.
 */
export function assumedPackages(set: PackageSet, catalogue: Catalogue): string[] {
  const installed = new Set(set.request.map((text) => text.split('/')[0] ?? ''))
  const queue = [...installed].filter((name) => set.assumed.includes(name))
  for (const name of queue) {
    const relations = catalogue.candidates(name)[0]?.depends.flat() ?? []
    for (const { package: needed } of relations) {
      if (!set.assumed.includes(needed) || installed.has(needed)) continue
      installed.add(needed)
      queue.push(needed)
    }
  }
  return set.assumed.filter((name) => !installed.has(name))
}

/** Whether an assumed package satisfies a dependency. It satisfies the dependency in any version. */
export function isAssumed(alternatives: Alternatives, assumed: ReadonlySet<string>): boolean {
  return alternatives.some((relation) => assumed.has(relation.package))
}
