import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'

/** The paths that a layer leaves out. Paths start with `/`. `*` matches within one path component. */
export interface Pruning {
  readonly remove: readonly string[]
  /** The files to keep: directory -> names of the only files that stay in it. */
  readonly keepOnly: Readonly<Record<string, readonly string[]>>
}

export function prune(root: string, pruning: Pruning): void {
  for (const pattern of pruning.remove)
    for (const path of expand(root, pattern)) rmSync(root + path, { recursive: true, force: true })
  for (const [directory, names] of Object.entries(pruning.keepOnly)) keepOnly(root + directory, new Set(names))
}

/** The paths that match a pattern. */
export function expand(root: string, pattern: string): string[] {
  return pattern
    .split('/')
    .slice(1)
    .reduce<string[]>((found, part) => found.flatMap((parent) => matching(root, parent, part)), [''])
}

function matching(root: string, parent: string, part: string): string[] {
  const expression = new RegExp(`^${part.replace(/[.+()]/g, '\\$&').replaceAll('*', '.*')}$`)
  return list(root + parent)
    .filter((name) => expression.test(name))
    .map((name) => `${parent}/${name}`)
}

function list(directory: string): string[] {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(directory).sort() : []
}

function keepOnly(directory: string, names: ReadonlySet<string>): void {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return
  const entries = readdirSync(directory, { withFileTypes: true })
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) keepOnly(path, names)
    else if (!entry.isSymbolicLink() && !names.has(entry.name)) rmSync(path)
  }
  // Keeps links to directories that still exist: the documentation of a package may be a link to that of another
  // package.
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`
    if (entry.isSymbolicLink() && !names.has(entry.name) && !leadsToDirectory(path)) rmSync(path)
  }
  if (readdirSync(directory).length === 0) rmSync(directory, { recursive: true })
}

/**
 * Whether a link leads to an existing path. False for an absolute link, which the builder would resolve in its own
 * root.
 */
function leadsToDirectory(link: string): boolean {
  if (readlinkSync(link).startsWith('/')) return false
  return statSync(link, { throwIfNoEntry: false })?.isDirectory() ?? false
}
