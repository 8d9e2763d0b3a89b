import { UserError } from '../../errors.ts'
import type { Integrity } from './integrity.ts'
import type { PackageLock, Placed } from './package-lock.ts'
import { fits, isLinuxBuild } from './platform.ts'
import type { TarballFacts } from './tarball-facts.ts'

/** The packages to unpack for Linux on arm64 with glibc, without running install scripts. */
export interface InstallPlan {
  /** The packages with tarballs, sorted by location. */
  readonly unpacked: readonly Tarball[]
  /** The packages that come inside the tarballs of others. */
  readonly bundled: readonly Bundled[]
  /** Packages whose tarballs hangar must see before the plan is final. Empty in a final plan. */
  readonly unknown: readonly Tarball[]
  /** Optional packages that do not run on the hosts because they would have to be compiled. */
  readonly leftOut: readonly { readonly package: Placed; readonly why: string }[]
}

/** A package in the tarball of the package at the location `owner`. */
interface Bundled {
  readonly package: Placed
  readonly owner: string
}

/** A package with a tarball of its own. */
export type Tarball = Placed & { readonly integrity: Integrity }

export type FactsOf = (integrity: Integrity) => TarballFacts | undefined

/**
 * Chooses the packages to unpack: all that required packages lead to, and the optional ones that run on the hosts.
 * Throws UserError if a required package is missing or cannot run. `where` is the path of the lock.
 */
export function installPlan(lock: PackageLock, factsOf: FactsOf, where: string): InstallPlan {
  const graph = graphOf(lock)
  const unusable = unusableIn(lock, graph, factsOf)
  const reached = reachedFrom(graph, unusable, where)
  const tarballs = [...reached.values()].filter((each): each is Tarball => each.integrity !== undefined)
  const sorted = tarballs.sort((a, b) => (a.location < b.location ? -1 : 1))
  return {
    unpacked: sorted,
    bundled: bundledIn(lock, reached),
    unknown: sorted.filter(({ integrity }) => factsOf(integrity) === undefined),
    leftOut: [...unusable].flatMap(([location, { why, kind }]) => {
      const left = lock.packages.get(location)
      return kind !== 'platform' && left !== undefined ? [{ package: left, why }] : []
    }),
  }
}

/** The packages that the tarballs of unpacked packages contain, whether or not a package names them. */
function bundledIn({ packages }: PackageLock, reached: ReadonlyMap<string, Placed>): Bundled[] {
  return [...packages.values()].flatMap((each) => {
    if (each.integrity !== undefined) return []
    let owner = above(each.location)
    while (owner !== undefined && packages.get(owner)?.integrity === undefined) owner = above(owner)
    return owner !== undefined && reached.has(owner) ? [{ package: each, owner }] : []
  })
}

interface Edge {
  readonly to: string
  /** The location that the name leads to. Undefined if the lock has no such package. */
  readonly location: string | undefined
}

type Dependencies = Pick<Placed, 'required' | 'optional' | 'peers'>

interface Node {
  readonly required: readonly Edge[]
  readonly optional: readonly Edge[]
  readonly package: Placed | undefined
}

/** Location -> package and its dependencies. The service itself has the location ''. */
type Graph = ReadonlyMap<string, Node>

function graphOf({ root, packages }: PackageLock): Graph {
  const node = (location: string, { required, optional, peers }: Dependencies, placed?: Placed): Node => {
    const edge = (to: string): Edge => ({ to, location: resolved(location, to, packages) })
    // A lock that npm wrote with `legacy-peer-deps` has no peers.
    const present = peers.map(edge).filter((each) => each.location !== undefined)
    return { required: [...required.map(edge), ...present], optional: optional.map(edge), package: placed }
  }
  const top = { required: Object.keys(root.required), optional: Object.keys(root.optional), peers: [] }
  return new Map([
    ['', node('', top)],
    ...[...packages].map(([location, placed]) => [location, node(location, placed, placed)] as const),
  ])
}

/** Looks a name up as Node.js does: in the package's own `node_modules`, and then in those of the directories above. */
function resolved(from: string, name: string, packages: PackageLock['packages']): string | undefined {
  for (let at: string | undefined = from; at !== undefined; at = above(at)) {
    const location = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (packages.has(location)) return location
  }
  return undefined
}

/** The location of the package above another one; undefined for the service itself. */
function above(location: string): string | undefined {
  if (location === '') return undefined
  const at = location.lastIndexOf('/node_modules/')
  return at === -1 ? '' : location.slice(0, at)
}

interface Problem {
  /** `platform`: the package is made for other systems. `missing`: the lock lacks something. */
  readonly kind: 'platform' | 'compiler' | 'missing'
  readonly why: string
}

type Unusable = ReadonlyMap<string, Problem>

/** The packages that cannot run on the hosts, by themselves or because a package that they need cannot. */
function unusableIn({ packages }: PackageLock, graph: Graph, factsOf: FactsOf): Unusable {
  const found = new Map<string, Problem>()
  const facts = ({ integrity }: Placed) => (integrity === undefined ? undefined : factsOf(integrity))
  for (const placed of packages.values()) if (!runsHere(placed, facts(placed))) found.set(placed.location, FOREIGN)
  for (const [location, node] of graph) {
    if (node.package === undefined || found.has(location)) continue
    const problem = nativeProblem(node, node.package, facts(node.package), packages, found)
    if (problem !== undefined) found.set(location, problem)
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const [location, { required }] of graph) {
      const broken = required.find(({ location: to }) => to !== undefined && found.has(to))
      if (location === '' || found.has(location) || broken === undefined) continue
      const { kind, why } = found.get(broken.location ?? '') ?? FOREIGN
      found.set(location, { kind, why: `needs '${broken.to}', which ${why}` })
    }
  }
  return found
}

const FOREIGN: Problem = { kind: 'platform', why: 'does not support Linux on arm64 with glibc' }

/** npm writes the field `libc` into locks since version 11 only, so that only the tarball has it for certain. */
function runsHere(placed: Placed, facts: TarballFacts | undefined): boolean {
  return fits(placed) && (facts === undefined || fits(facts))
}

function nativeProblem(
  { optional }: Node,
  { name }: Placed,
  facts: TarballFacts | undefined,
  packages: PackageLock['packages'],
  foreign: Unusable,
): Problem | undefined {
  if (facts?.modules === 'usable') return undefined
  const builds = optional.flatMap(({ location }) => packages.get(location ?? '') ?? []).filter(isBuildOf(name))
  if (builds.some(({ location }) => !foreign.has(location))) return undefined
  const absent = optional.find(({ to, location }) => location === undefined && isBuildName(to))
  if (absent !== undefined && builds.length > 0)
    return { kind: 'missing', why: `needs '${absent.to}', which package-lock.json lacks` }
  if (builds.some(isLinuxBuild))
    return {
      kind: 'compiler',
      why: `has builds for other processors only (${builds.map((each) => each.name).join(', ')})`,
    }
  if (facts?.modules === 'foreign') return { kind: 'compiler', why: 'has native modules for other processors only' }
  if (facts?.build === 'compiler')
    return { kind: 'compiler', why: 'has no native module for arm64: it needs a compiler' }
  return undefined
}

/** A build of a package for one system, as an optional package: `@node-rs/bcrypt-linux-arm64-gnu`. */
function isBuildOf(name: string): (other: Placed) => boolean {
  const base = name.replace(/^@[^/]+\//, '')
  return (other) =>
    other.cpu.length > 0 && other.name !== name && (other.name.includes(base) || isBuildName(other.name))
}

function isBuildName(name: string): boolean {
  return /linux/.test(name) && /arm64|aarch64/.test(name) && !/musl|android/.test(name)
}

function reachedFrom(graph: Graph, unusable: Unusable, where: string): Map<string, Placed> {
  const reached = new Map<string, Placed>()
  const visit = (from: string, path: readonly string[]): void => {
    const node = graph.get(from)
    if (node === undefined || reached.has(from)) return
    if (node.package !== undefined) reached.set(from, node.package)
    for (const { to, location } of node.required) {
      if (location === undefined) throw absent(where, to, path)
      const problem = unusable.get(location)
      if (problem !== undefined) throw cannotRun(where, graph.get(location)?.package, problem)
      visit(location, [...path, to])
    }
    for (const { to, location } of node.optional)
      if (location !== undefined && !unusable.has(location)) visit(location, [...path, to])
  }
  visit('', [])
  return reached
}

function absent(where: string, name: string, path: readonly string[]): UserError {
  const by = path.length === 0 ? 'package.json' : `'${path.join(' > ')}'`
  return new UserError('lock', `'${where}' lacks '${name}', which ${by} needs`, {
    hint: 'resolve the packages again: npm run lock -- --update',
  })
}

/** A package that cannot run makes all packages above it unusable, up to one that `package.json` names. */
function cannotRun(where: string, placed: Placed | undefined, { kind, why }: Problem): UserError {
  return new UserError('lock', `'${where}': '${placed?.name}@${placed?.version}' ${why}`, { hint: HINTS[kind] })
}

const INSTEAD =
  "use a version or another package with a build for Linux on arm64; if the program runs without it, replace it in 'overrides' of package.json"

const HINTS: Readonly<Record<Problem['kind'], string>> = {
  platform: INSTEAD,
  compiler: `hangar runs no compiler and no install script: ${INSTEAD}`,
  missing: 'a known fault of older npm versions: resolve the packages again: npm run lock -- --update',
}
