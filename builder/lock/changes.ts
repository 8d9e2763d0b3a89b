import type { Source } from '../sources/source.ts'

/** A package whose locked versions differ from before. `before` is undefined for a new package, `after` for a dropped one. */
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
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key) => {
    const [name = '', architecture = ''] = key.split(' ')
    const [from = [], to = []] = [old.get(key), now.get(key)]
    const [before, after] = [from, to].map((all) => (all.length === 0 ? undefined : all.join(', ')))
    if (before === after) return []
    const [newest, was] = [to.at(-1), from.at(-1)]
    const isOlder = newest !== undefined && was !== undefined && source.compareVersions(newest, was) < 0
    return [{ package: name, architecture, before, after, isOlder }]
  })
}

/** Package and architecture -> its versions, oldest first: npm installs several versions of a package side by side. */
function versions(source: Source, lock: unknown): Map<string, string[]> {
  const found = new Map<string, Set<string>>()
  for (const { name, architecture, version } of source.files(lock).map((file) => source.describe(file))) {
    const key = `${name} ${architecture}`
    found.set(key, (found.get(key) ?? new Set()).add(version))
  }
  return new Map([...found].map(([key, all]) => [key, [...all].sort(source.compareVersions)]))
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
