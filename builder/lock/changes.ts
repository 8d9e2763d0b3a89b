import { compareVersions } from '../../images/debian/version.ts'
import type { Lock } from '../../images/lock.ts'

/** A package that a lock holds in another version than before; without `after` it left, without `before` it came. */
export interface Change {
  readonly package: string
  readonly architecture: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** By name, then architecture. */
export function changesBetween(before: Lock, after: Lock): Change[] {
  const [old, now] = [versions(before), versions(after)]
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .filter((key) => old.get(key) !== now.get(key))
    .map((key) => {
      const [name = '', architecture = ''] = key.split(' ')
      return { package: name, architecture, before: old.get(key), after: now.get(key) }
    })
}

/** A line for each: `openssl  arm64  3.5.7-1 -> 3.5.8-1`. */
export function changesText(changes: readonly Change[]): string {
  const rows = changes.map((change) => [change.package, change.architecture, movement(change)] as const)
  const width = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length))
  const line = (row: (typeof rows)[number]) => `${row[0].padEnd(width(0))}  ${row[1].padEnd(width(1))}  ${row[2]}`
  return rows.map((row) => `${line(row)}\n`).join('')
}

function movement({ before, after }: Change): string {
  if (before === undefined) return `new ${after}`
  if (after === undefined) return `${before} dropped`
  return `${before} -> ${after}${compareVersions(after, before) < 0 ? ' (older)' : ''}`
}

function versions(lock: Lock): Map<string, string> {
  return new Map(Object.values(lock.packages).map((item) => [`${item.package} ${item.architecture}`, item.version]))
}
