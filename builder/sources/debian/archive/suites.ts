import type { Archive } from '../../../../images/lock.ts'
import type { WantedFile } from '../../../../lib/download.ts'

/** A file of an archive, as a signed index or the lock names it. */
export interface Wanted extends WantedFile {
  readonly archive: Archive
}

/** A suite of an archive. Its indexes are in the directory `dists/NAME` of the archive. */
export interface Suite {
  readonly archive: Archive
  readonly name: string
}

export const RELEASE = 'trixie'
export const BACKPORTS = `${RELEASE}-backports`

/** The suites from which hangar locks packages. If two suites have the same version, the lock names the first suite. */
export const SUITES: readonly Suite[] = [
  { archive: 'debian', name: RELEASE },
  { archive: 'debian', name: `${RELEASE}-updates` },
  { archive: 'debian-security', name: `${RELEASE}-security` },
  { archive: 'debian', name: BACKPORTS },
]

/** The name of the suite in the lock: `debian/trixie`. */
export function suiteKey({ archive, name }: Suite): string {
  return `${archive}/${name}`
}
