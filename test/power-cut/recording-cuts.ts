import { withDisk } from '../../flash/vm/disk.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import type { Cut } from './cut-points.ts'
import type { DiskState } from './disk-state.ts'
import { type Change, restartIn, revertIn, updateIn } from './expectation.ts'
import type { Recording } from './recording.ts'
import { sweep } from './sweep.ts'
import type { Verdict } from './verdict.ts'
import { type WriteLog, withWriteLog } from './write-log.ts'

export type ChangeKind = 'update' | 'restart' | 'revert'

const FINDERS = { update: updateIn, restart: restartIn, revert: revertIn }

/** Opens the disk and the log of a recording while `use` runs, and finds one of the recorded changes. */
export function withChange<T>(
  recording: Recording,
  kind: ChangeKind,
  use: (base: BlockSource, log: WriteLog, change: Change) => T,
): T {
  return withDisk(recording.base, (base) =>
    withWriteLog(recording.log, (log) => use(base, log, FINDERS[kind](log, recording))),
  )
}

/** Runs `look` on some cuts of a change. Returns the problems that `look` describes. */
export function problemsAt(
  recording: Recording,
  kind: ChangeKind,
  only: (cut: Cut) => boolean,
  look: (disk: DiskState, change: Change, cut: Cut, verdict: Verdict) => string | undefined,
): string[] {
  return withChange(recording, kind, (base, log, change) => {
    const problems: string[] = []
    const expected = (cut: Cut, verdict: Verdict, disk: DiskState) => {
      const problem = look(disk, change, cut, verdict)
      if (problem !== undefined) problems.push(`${cut.id}: ${problem}`)
      return undefined
    }
    sweep({ base, log, range: change.range, only, expected })
    return problems
  })
}

/** Selects `count` cuts, evenly spread. */
export function spread(ids: readonly string[], count: number): (cut: Cut) => boolean {
  const chosen = new Set(Array.from({ length: count }, (_, index) => ids[Math.floor((index * ids.length) / count)]))
  return ({ id }) => chosen.has(id)
}
