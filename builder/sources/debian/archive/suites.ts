import type { Archive } from '../../../../images/lock.ts'

/** A suite of an archive, below whose `dists` it stands under its code name. */
export interface Suite {
  readonly archive: Archive
  readonly name: string
}

export const RELEASE = 'trixie'
export const BACKPORTS = `${RELEASE}-backports`

/** Everything that a lock may take packages from. Where two hold the same version, the lock names the first. */
export const SUITES: readonly Suite[] = [
  { archive: 'debian', name: RELEASE },
  { archive: 'debian', name: `${RELEASE}-updates` },
  { archive: 'debian-security', name: `${RELEASE}-security` },
  { archive: 'debian', name: BACKPORTS },
]

/** `debian/trixie`: how the lock names the suite. */
export function suiteKey({ archive, name }: Suite): string {
  return `${archive}/${name}`
}
