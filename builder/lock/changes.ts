import type { Source } from '../sources/source.ts'

/** A package whose locked version differs from before. `before` is undefined for a new package, `after` for a dropped one. */
export interface Change {
  readonly package: string
  readonly architecture: string
  readonly before: string | undefined
  readonly after: string | undefined
  /** Whether `after` is an older version than `before`. */
  readonly isOlder: boolean
}

/** The differences between two locks of a source, by name and then by architecture. */
export function changesBetween(source: Source, before: unknown, after: unknown): Change[] {
  const [old, now] = [versions(source, before), versions(source, after)]
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .filter((key) => old.get(key) !== now.get(key))
    .map((key) => {
      const [name = '', architecture = ''] = key.split(' ')
      const [from, to] = [old.get(key), now.get(key)]
      const isOlder = from !== undefined && to !== undefined && source.compareVersions(to, from) < 0
      return { package: name, architecture, before: from, after: to, isOlder }
    })
}

function versions(source: Source, lock: unknown): Map<string, string> {
  const identities = source.files(lock).map((file) => source.describe(file))
  return new Map(identities.map(({ name, architecture, version }) => [`${name} ${architecture}`, version]))
}

/** One line for each change: `openssl  arm64  3.5.7-1 -> 3.5.8-1`. */
export function changesText(changes: readonly Change[]): string {
  const rows = changes.map((change) => [change.package, change.architecture, movement(change)] as const)
  const width = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length))
  const line = (row: (typeof rows)[number]) => `${row[0].padEnd(width(0))}  ${row[1].padEnd(width(1))}  ${row[2]}`
  return rows.map((row) => `${line(row)}\n`).join('')
}

function movement({ before, after, isOlder }: Change): string {
  if (before === undefined) return `new ${after}`
  if (after === undefined) return `${before} dropped`
  return `${before} -> ${after}${isOlder ? ' (older)' : ''}`
}
