import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { privateKeyIn } from '../../private-key/private-key.ts'
import { hasSameContent, type Seen } from '../parts/walk.ts'
import { timesBetween } from './build-times.ts'

export interface MadeFiles {
  readonly root: string
  /** The paths that scripts made, and the paths whose content they changed. */
  readonly made: readonly string[]
  /** The root as the packages were unpacked, before any script made a file. */
  readonly shipped: ReadonlyMap<string, Seen>
  readonly after: ReadonlyMap<string, Seen>
  /** When the scripts ran, in milliseconds since 1970. */
  readonly ran: { readonly from: number; readonly to: number }
}

/** A path that hangar refuses. */
export interface Refused {
  readonly path: string
  readonly reason: string
}

/**
 * The files that belong to one machine or one moment. A file that a package ships is public and the same in each build, and
 * so is a copy of it.
 */
export function unsuitableFiles(given: MadeFiles): Refused[] {
  const { root, made, after, ran } = given
  const times = timesBetween(ran.from, ran.to)
  const files = made.filter((path) => after.get(path)?.kind === 'file')
  return files.flatMap((path) => {
    const content = readFileSync(root + path)
    const reason = clusterAt(path, files) ?? contentReason(content, times)
    return reason === undefined || isShippedCopy(content, given) ? [] : [{ path, reason: `it is ${reason}` }]
  })
}

function contentReason(content: Buffer, times: (text: string) => string | undefined): string | undefined {
  const key = privateKeyIn(content)
  if (key !== undefined) return key
  const text = content.toString('latin1')
  if (/-----BEGIN (?:X9\.42 )?DH PARAMETERS-----/.test(text)) return 'a file of random DH parameters'
  if (text.includes('\0')) return undefined
  const time = times(text)
  return time === undefined ? undefined : `a file that contains the time of the build ('${time}')`
}

/** A file that only a database has: its name, and another file of the same database. */
const CLUSTERS: readonly (readonly [name: RegExp, other: string, kind: string])[] = [
  [/\/PG_VERSION$/, 'global/pg_control', 'a database cluster of PostgreSQL'],
  [/\/ibdata1$/, 'mysql/', 'a database of MariaDB or MySQL'],
  [/\/data\.mdb$/, 'lock.mdb', 'a database of LDAP'],
  [/\/WiredTiger$/, 'WiredTiger.wt', 'a database of MongoDB'],
]

function clusterAt(path: string, files: readonly string[]): string | undefined {
  const found = CLUSTERS.find(
    ([name, other]) => name.test(path) && files.some((each) => each.startsWith(`${dirname(path)}/${other}`)),
  )
  return found?.[2]
}

function isShippedCopy(content: Buffer, { root, shipped, after }: MadeFiles): boolean {
  return [...shipped].some(
    ([path, then]) =>
      then.kind === 'file' &&
      then.size === content.length &&
      hasSameContent(then, after.get(path)) &&
      readFileSync(root + path).equals(content),
  )
}
