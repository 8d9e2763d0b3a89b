import { withDisk } from '../../flash/vm/disk.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import type { Cut } from './cut-points.ts'
import type { DiskState } from './disk-state.ts'
import { type Change, revertIn, updateIn } from './expectation.ts'
import type { Recording } from './recording.ts'
import { sweep } from './sweep.ts'
import type { Verdict } from './verdict.ts'
import { type WriteLog, withWriteLog } from './write-log.ts'

export type ChangeKind = 'update' | 'revert'

const FINDERS = { update: updateIn, revert: revertIn }

/** A recording's bytes, and one of its changes, for as long as `use` takes. */
export function withChange<T>(
  recording: Recording,
  kind: ChangeKind,
  use: (base: BlockSource, log: WriteLog, change: Change) => T,
): T {
  return withDisk(recording.base, (base) =>
    withWriteLog(recording.log, (log) => use(base, log, FINDERS[kind](log, recording))),
  )
}

/** Looks at some of a change's cuts again; `look` says what it does not like. */
export function complaintsAt(
  recording: Recording,
  kind: ChangeKind,
  only: (cut: Cut) => boolean,
  look: (disk: DiskState, change: Change, cut: Cut, verdict: Verdict) => string | undefined,
): string[] {
  return withChange(recording, kind, (base, log, change) => {
    const complaints: string[] = []
    const expected = (cut: Cut, verdict: Verdict, disk: DiskState) => {
      const complaint = look(disk, change, cut, verdict)
      if (complaint !== undefined) complaints.push(`${cut.id}: ${complaint}`)
      return undefined
    }
    sweep({ base, log, range: change.range, only, expected })
    return complaints
  })
}

/** So many of the cuts, evenly spread. */
export function spread(ids: readonly string[], count: number): (cut: Cut) => boolean {
  const chosen = new Set(Array.from({ length: count }, (_, index) => ids[Math.floor((index * ids.length) / count)]))
  return ({ id }) => chosen.has(id)
}
