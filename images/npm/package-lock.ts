import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { quoted } from '../quoted.ts'
import { type Integrity, sha512In } from './integrity.ts'
import { type Manifest, manifestOf, otherSource } from './manifest.ts'
import { isPackageName, isPackageVersion, tarballPath } from './name.ts'

const names = z.record(z.string(), z.string()).optional()
const list = z.union([z.array(z.string()), z.string().transform((one) => [one])]).optional()

const entry = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  devDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.looseObject({ optional: z.boolean().optional() })).optional(),
  os: list,
  cpu: list,
  libc: list,
  bin: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .catch(undefined),
  // Old packages have lists and sentences in these fields. npm ignores them there.
  engines: z.looseObject({ node: z.string().optional() }).optional().catch(undefined),
  license: z.string().optional().catch(undefined),
})
type StoredEntry = z.output<typeof entry>

const document = z.looseObject({ lockfileVersion: z.number(), packages: z.record(z.string(), entry) })

/** A package at one place below `node_modules`. */
export interface Placed {
  /** The path of its directory: `node_modules/a/node_modules/@scope/b`. */
  readonly location: string
  readonly name: string
  readonly version: string
  /** Undefined for a package that the tarball of a package above it contains. */
  readonly integrity: Integrity | undefined
  readonly required: readonly string[]
  readonly optional: readonly string[]
  /** Packages that another package has to bring. */
  readonly peers: readonly string[]
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc: readonly string[]
  /** The commands: name -> path in the package. */
  readonly bin: Readonly<Record<string, string>>
  /** The range of Node.js versions that the package states. */
  readonly node: string | undefined
  readonly license: string | undefined
}

/** The text of a `package-lock.json`, parsed. */
export interface PackageLock {
  /** The packages that `package.json` named when npm wrote the lock. */
  readonly root: Manifest
  /** Location -> package. Has no packages that only development needs. */
  readonly packages: ReadonlyMap<string, Placed>
}

/** The only version that npm 7 and later write without compatibility with npm 6. */
const LOCKFILE_VERSION = 3

/** Reads the text of a `package-lock.json`. `where` is its path. Undefined for another version of the format. */
export function parsePackageLock(text: string, where: string): PackageLock | undefined {
  const json = jsonOf(text, where)
  const version = (json as { lockfileVersion?: unknown } | null)?.lockfileVersion
  if (version === 1 || version === 2) return undefined
  const parsed = document.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw damaged(where, `is damaged at '${issue?.path.join('.')}': ${issue?.message}`)
  }
  if (version !== LOCKFILE_VERSION)
    throw damaged(where, `has lockfileVersion ${version}, this hangar reads version ${LOCKFILE_VERSION}`)
  const { '': root, ...packages } = parsed.data.packages
  if (root === undefined) throw damaged(where, "has no entry '' for the service itself")
  const placed = Object.entries(packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([location, each]) => placedPackage(location, each, where))
  refuseTwoContents(placed, where)
  return { root: rootOf(root), packages: new Map(placed.map((each) => [each.location, each])) }
}

function rootOf({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, ...rest }: StoredEntry) {
  const { devDependencies = {}, engines } = rest
  return manifestOf({ dependencies, optionalDependencies, peerDependencies, devDependencies, engines })
}

const LOCATION = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)$/

function placedPackage(location: string, each: StoredEntry, where: string): Placed {
  const found = LOCATION.exec(location)?.[1] ?? ''
  const { name = found, version = '' } = each
  const what = `'${where}' takes '${name}'`
  if (each.link === true) throw otherSource(`${what} from a folder`, quoted(each.resolved ?? location))
  if (!isLocation(location)) throw damaged(where, `has a package at ${quoted(location)}, wanted node_modules/NAME`)
  if (!isPackageName(name)) throw damaged(where, `has a package with the name ${quoted(name)}`)
  const { resolved } = each
  if (resolved !== undefined && !isFromRegistry(resolved, name, version))
    throw otherSource(`${what} from ${/^git|\.git#/.test(resolved) ? 'git' : 'a URL or a file'}`, quoted(resolved))
  if (!isPackageVersion(version)) throw damaged(where, `has version ${quoted(version)} of '${name}'`)
  return {
    ...{ location, name, version, integrity: integrityOf(each, `${name}@${version}`, where) },
    ...dependenciesOf(each),
    ...{ os: each.os ?? [], cpu: each.cpu ?? [], libc: each.libc ?? [] },
    ...{ bin: commandsOf(name, each.bin), node: each.engines?.node, license: each.license },
  }
}

/** Whether a location is a chain of package directories, and nothing outside of the service's own `node_modules`. */
function isLocation(location: string): boolean {
  const parts = `/${location}`.split('/node_modules/')
  return parts[0] === '' && parts.length > 1 && parts.slice(1).every(isPackageName)
}

/** Registries differ in their servers and base paths only. A lock without `resolved` names no server at all. */
function isFromRegistry(resolved: string, name: string, version: string): boolean {
  if (!/^https?:\/\//.test(resolved) || !URL.canParse(resolved)) return false
  const path = new URL(resolved).pathname.replaceAll(/%2f/gi, '/').replaceAll(/%40/g, '@')
  return path.endsWith(`/${tarballPath(name, version)}`)
}

function integrityOf({ integrity, inBundle }: StoredEntry, what: string, where: string): Integrity | undefined {
  if (inBundle === true) return undefined
  const found = sha512In(integrity ?? '')
  if (found !== undefined) return found
  const has = integrity === undefined ? 'no integrity' : `only the integrity ${quoted(integrity)}`
  throw new UserError('lock', `'${where}' has ${has} for '${what}', wanted a SHA-512`, {
    hint: 'resolve the packages again: npm run lock -- --update; a registry without SHA-512 cannot be used',
  })
}

function dependenciesOf(each: StoredEntry): Pick<Placed, 'required' | 'optional' | 'peers'> {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = each
  const mayLack = (name: string) => Object.hasOwn(peerDependenciesMeta, name)
  const peers = Object.keys(peerDependencies)
  const optional = [...new Set([...Object.keys(optionalDependencies), ...peers.filter(mayLack)])]
  return {
    required: Object.keys(dependencies).filter((name) => !optional.includes(name)),
    optional,
    peers: peers.filter((name) => !mayLack(name)),
  }
}

/** The commands of a package. Names lose their directories, and paths cannot leave the package, as in npm. */
function commandsOf(name: string, bin: StoredEntry['bin']): Record<string, string> {
  const given = typeof bin === 'string' ? { [name]: bin } : (bin ?? {})
  return Object.fromEntries(
    Object.entries(given).flatMap(([command, path]) => {
      const base = command.split('/').at(-1) ?? ''
      const parts = path.split('/').filter((part) => part !== '' && part !== '.')
      const isSafe = /^[A-Za-z0-9][\w.+-]*$/.test(base) && parts.length > 0 && !parts.includes('..')
      return isSafe ? [[base, parts.join('/')]] : []
    }),
  )
}

/** One version of a package with two contents would share the path of the tarball. */
function refuseTwoContents(packages: readonly Placed[], where: string): void {
  const known = new Map<string, Integrity>()
  for (const { name, version, integrity } of packages) {
    if (integrity === undefined) continue
    const key = `${name}@${version}`
    if ((known.get(key) ?? integrity) !== integrity) throw damaged(where, `has two different integrities for '${key}'`)
    known.set(key, integrity)
  }
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged(where, `is not JSON: ${(cause as Error).message}`, cause)
  }
}

function damaged(where: string, reason: string, cause?: unknown): UserError {
  return new UserError('lock', `'${where}' ${reason}`, {
    hint: `restore it: git checkout ${where}; or delete it and resolve everything again: npm run lock`,
    cause,
  })
}
