import type { Archive } from '../../../../images/lock.ts'
import type { Mirrors } from './mirrors.ts'

const SERVER = 'https://snapshot.debian.org/archive'
const HALF_A_DAY = 12 * 60 * 60

/**
 * Debian's own archive of everything, for what mirrors have dropped. It takes its copies some hours apart, so that what
 * a release names may be in the copy after its date only; a moment later it may have been replaced: both are tried.
 *
 * @param time of the lock, in seconds since 1970
 */
export function snapshots(time: number): Mirrors {
  const at = (archive: Archive) => [time + HALF_A_DAY, time].map((each) => `${SERVER}/${archive}/${stamp(each)}`)
  return { debian: at('debian'), 'debian-security': at('debian-security') }
}

/** 20260912T075541Z */
function stamp(time: number): string {
  return new Date(time * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}
