import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { quoted } from '../quoted.ts'

const ranges = z.record(z.string(), z.string()).default({})

const schema = z.looseObject({
  dependencies: ranges,
  optionalDependencies: ranges,
  peerDependencies: ranges,
  devDependencies: ranges,
  engines: z.looseObject({ node: z.string().optional() }).optional().catch(undefined),
  workspaces: z.unknown().optional(),
})

/** The fields of a service's `package.json` that decide what npm installs. */
export interface Manifest {
  /** Name -> range of the packages that the service needs. */
  readonly required: Readonly<Record<string, string>>
  readonly optional: Readonly<Record<string, string>>
  readonly development: Readonly<Record<string, string>>
  /** The range of Node.js versions in `engines`. */
  readonly node: string | undefined
}

/** Reads the text of a service's `package.json`. `where` is its path. Throws UserError for packages of no registry. */
export function parseManifest(text: string, where: string): Manifest {
  const parsed = schema.safeParse(jsonOf(text, where))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw broken(where, `is damaged at '${issue?.path.join('.')}': ${issue?.message}`)
  }
  if (parsed.data.workspaces !== undefined)
    throw new UserError('lock', `'${where}' has 'workspaces', which hangar does not support`, {
      hint: `list the packages in 'dependencies' instead`,
    })
  const manifest = manifestOf(parsed.data)
  refuseOtherSources(manifest, where)
  return manifest
}

interface Fields {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly engines?: { readonly node?: string | undefined } | undefined
}

/** Moves what both lists name from the required to the optional packages, as npm does. */
export function manifestOf(fields: Fields): Manifest {
  const { dependencies, optionalDependencies: optional, peerDependencies, devDependencies: development } = fields
  const required = Object.entries({ ...peerDependencies, ...dependencies }).filter(
    ([name]) => !Object.hasOwn(optional, name),
  )
  return { required: Object.fromEntries(required), optional, development, node: fields.engines?.node }
}

/** Refuses packages that do not come from a registry: no integrity in the lock covers them. */
function refuseOtherSources({ required, optional }: Manifest, where: string): void {
  for (const [name, range] of Object.entries({ ...required, ...optional })) {
    const origin = originOf(range)
    if (origin !== undefined) throw otherSource(`'${where}' takes '${name}' from ${origin}`, quoted(range))
  }
}

/** The kind of a place that is not a registry. Undefined for a range, a tag or an alias (`npm:NAME@RANGE`). */
export function originOf(range: string): string | undefined {
  const registry = range.startsWith('npm:') ? range.slice(4).replace(/^@[^/]+\//, '') : range
  if (/^(git\b|github:|gitlab:|bitbucket:|gist:|ssh:)/i.test(registry) || /\.git(#.*)?$/.test(registry)) return 'git'
  if (/^https?:/i.test(registry)) return 'a URL'
  if (/^(file|link|workspace|portal):|^[./~]/i.test(registry)) return 'a folder or file'
  if (/^[^\s/]+\/[^\s/]+$/.test(registry)) return 'git'
  return registry.includes(':') ? 'an unknown place' : undefined
}

/** The error for a package that does not come from a registry. */
export function otherSource(what: string, range: string): UserError {
  return new UserError('lock', `${what} (${range}), hangar fetches packages from npm registries only`, {
    hint: 'publish the package to a registry, or use a version that a registry has',
  })
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw broken(where, `is not JSON: ${(cause as Error).message}`, cause)
  }
}

function broken(where: string, reason: string, cause?: unknown): UserError {
  return new UserError('lock', `'${where}' ${reason}`, { hint: 'correct the file', cause })
}
