import type { Architecture } from '../../images/architecture.ts'
import type { Digest } from '../../images/digest.ts'
import type { Lock } from '../../images/lock.ts'
import { type ArchitectureSet, setKey } from '../../images/package-set.ts'
import type { BuildContext } from '../context.ts'
import { fetchIndices } from '../sources/debian/archive/packages.ts'
import { fetchRelease, type Release } from '../sources/debian/archive/release.ts'
import { SUITES } from '../sources/debian/archive/suites.ts'
import { type Catalogue, catalogueOf } from '../sources/debian/resolve/catalogue.ts'
import { convergeVersions } from '../sources/debian/resolve/converge-versions.ts'
import { lockOf, type Resolved, resolvedSets, unanswered } from '../sources/debian/resolve/sets.ts'
import { solve } from '../sources/debian/resolve/solve.ts'
import { solverToolchain } from '../sources/debian/resolve/solver-toolchain.ts'
import { type Change, changesBetween } from './changes.ts'

/** What of the lock may move. */
export type LockMode =
  /** Sets that it does not answer for. */
  | { readonly kind: 'missing' }
  /** Everything. Sets that nobody wants any more are dropped. */
  | { readonly kind: 'update' }
  /** Also the sets that hold these files, which have left every mirror. */
  | { readonly kind: 'gone'; readonly gone: readonly { readonly sha256: Digest }[] }

/** What of a build context resolving needs; apt's solver runs in the set `toolchain`. */
export type LockOptions = Pick<
  BuildContext,
  'store' | 'mirrors' | 'keyring' | 'now' | 'fetch' | 'runner' | 'toolchain' | 'reporter'
> &
  Partial<Pick<BuildContext, 'signal'>>

export interface Locked {
  readonly lock: Lock
  readonly changes: readonly Change[]
}

/** Resolves what is wanted and not locked, and nothing else unless the mode says so. */
export async function lockSets(
  wanted: readonly ArchitectureSet[],
  current: Lock,
  mode: LockMode,
  options: LockOptions,
): Promise<Locked> {
  const all = withToolchain(wanted, options.toolchain)
  const open = setsToResolve(all, current, mode)
  if (open.length === 0) return { lock: current, changes: [] }
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
  const lock = lockOf(sets, releases)
  return { lock, changes: changesBetween(current, lock) }
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
  // As it is asked for now, which may differ from how it was written down in the order of its parts alone.
  for (const each of wanted) {
    const before = kept.get(setKey(each))
    if (before !== undefined) kept.set(setKey(each), { ...before, wanted: each })
  }
  return kept
}

async function fetchReleases(current: Lock, options: LockOptions): Promise<Release[]> {
  const step = options.reporter.step('verify the archives')
  const keyring = options.keyring()
  try {
    const releases = await Promise.all(
      SUITES.map((suite) => fetchRelease(suite, { ...options, keyring, known: current.releases })),
    )
    step.done('fetched')
    return releases
  } catch (error) {
    step.failed()
    throw error
  }
}

/** An architecture's indices are read when one of its sets is resolved, and once. */
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

/** Versions that the lock has: packages only move where something asks for it. */
function preferences(current: Lock, mode: LockMode): (architecture: Architecture) => Map<string, string> {
  const gone = new Set(mode.kind === 'gone' ? mode.gone.map(({ sha256 }) => sha256) : [])
  const sets = mode.kind === 'update' ? [] : [...resolvedSets(current).values()]
  return (architecture) => {
    const own = sets.filter(({ wanted }) => wanted.architecture === architecture).flatMap(({ packages }) => packages)
    return new Map(own.filter(({ sha256 }) => !gone.has(sha256)).map((item) => [item.package, item.version]))
  }
}
