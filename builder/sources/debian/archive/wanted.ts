import type { Archive } from '../../../../images/lock.ts'
import type { WantedFile } from '../../../../lib/download.ts'

/** A file of an archive, as a signed index or the lock names it. */
export interface Wanted extends WantedFile {
  readonly archive: Archive
}
