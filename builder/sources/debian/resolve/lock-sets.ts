import type { Architecture } from '../../../../images/architecture.ts'
import type { Lock } from '../../../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import { during } from '../../../../lib/reporter.ts'
import { allEnded } from '../../../../lib/worker-pool.ts'
import type { LockMode, ResolveContext } from '../../source.ts'
import type { Mirrors } from '../archive/mirrors.ts'
import { fetchIndices } from '../archive/packages.ts'
import { fetchRelease, type Release } from '../archive/release.ts'
import { type Pacing, Servers } from '../archive/servers.ts'
import { SUITES } from '../archive/suites.ts'
import { type Catalogue, catalogueOf } from './catalogue.ts'
import { convergeVersions } from './converge-versions.ts'
import { lockOf, type Resolved, resolvedSets, unanswered } from './sets.ts'
import { solve } from './solve.ts'
import { solverToolchain } from './solver-toolchain.ts'

export interface LockOptions extends ResolveContext, Pacing {
  readonly mirrors: Mirrors
  /** Armored public keys of Debian's archives. */
  readonly keyring: string
}

/**
 * Resolves the sets that the mode selects, and returns the new lock. Returns `current` itself if no set needs
 * resolving.
 */
export async function lockSets(
  wanted: readonly ArchitectureSet[],
  current: Lock,
  mode: LockMode,
  options: LockOptions,
): Promise<Lock> {
  const all = withToolchain(wanted, options.toolchain)
  const open = setsToResolve(all, current, mode)
  if (open.length === 0) return current
  const releases = await fetchReleases(current, options)
  const catalogue = catalogues(releases, options)
  const before = resolvedSets(current).get(setKey(options.toolchain))?.packages
  const toolchain = await solverToolchain(before, options.toolchain, catalogue, options)
  const kept = keptSets(all, current, mode, open)
  if (toolchain.origin === 'bootstrap') {
    kept.set(setKey(options.toolchain), { wanted: options.toolchain, packages: toolchain.packages })
  }
  const { name } = options.toolchain.set
  const solver = {
    ...options,
    toolchain: { name, architecture: options.toolchain.architecture, packages: toolchain.packages },
  }
  const sets = await convergeVersions({
    kept,
    wanted: open.filter((each) => !kept.has(setKey(each))),
    preferred: preferences(current, mode),
    catalogue,
    ask: (questions) => solve(questions, solver),
  })
  return lockOf(sets, releases)
}

function withToolchain(wanted: readonly ArchitectureSet[], toolchain: ArchitectureSet): ArchitectureSet[] {
  const all = new Map([toolchain, ...wanted].map((each) => [setKey(each), each]))
  return [...all.values()]
}

function setsToResolve(wanted: readonly ArchitectureSet[], current: Lock, mode: LockMode): ArchitectureSet[] {
  if (mode.kind === 'update') return [...wanted]
  const open = new Map(unanswered(wanted, current).map((each) => [setKey(each), each]))
  const gone = new Set(mode.kind === 'gone' ? mode.gone.map(({ sha256 }) => sha256) : [])
  for (const [key, { wanted: each, packages }] of resolvedSets(current)) {
    if (packages.some(({ sha256 }) => gone.has(sha256))) open.set(key, open.get(key) ?? each)
  }
  return [...open.values()]
}

function keptSets(
  wanted: readonly ArchitectureSet[],
  current: Lock,
  mode: LockMode,
  open: readonly ArchitectureSet[],
): Map<string, Resolved> {
  if (mode.kind === 'update') return new Map()
  const kept = resolvedSets(current)
  for (const each of open) kept.delete(setKey(each))
  // Writes the requests again, because a host file may name the same packages in another order now.
  for (const each of wanted) {
    const before = kept.get(setKey(each))
    if (before !== undefined) kept.set(setKey(each), { ...before, wanted: each })
  }
  return kept
}

async function fetchReleases(current: Lock, options: LockOptions): Promise<Release[]> {
  const servers = new Servers(options)
  const fetchAll = () =>
    allEnded(SUITES.map((suite) => fetchRelease(suite, servers, { ...options, known: current.releases })))
  return during(options.reporter, 'verify the archives', fetchAll, { ending: 'fetched' })
}

/** Reads the indexes of an architecture only once, when it first resolves a set of this architecture. */
function catalogues(
  releases: readonly Release[],
  options: LockOptions,
): (architecture: Architecture) => Promise<Catalogue> {
  const known = new Map<Architecture, Promise<Catalogue>>()
  return (architecture) => {
    const found =
      known.get(architecture) ??
      fetchIndices(releases, architecture, options).then((indices) => catalogueOf(indices, architecture))
    known.set(architecture, found)
    return found
  }
}

/** The versions in the current lock. The solver keeps a version unless another package requires a different one. */
function preferences(current: Lock, mode: LockMode): (architecture: Architecture) => Map<string, string> {
  const gone = new Set(mode.kind === 'gone' ? mode.gone.map(({ sha256 }) => sha256) : [])
  const sets = mode.kind === 'update' ? [] : [...resolvedSets(current).values()]
  return (architecture) => {
    const own = sets.filter(({ wanted }) => wanted.architecture === architecture).flatMap(({ packages }) => packages)
    return new Map(own.filter(({ sha256 }) => !gone.has(sha256)).map((item) => [item.package, item.version]))
  }
}
