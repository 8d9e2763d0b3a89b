import { layoutOnDisk, MIB, type Partition, type PartitionName, partition, SECTOR } from '../../images/layout.ts'
import type { Slot } from '../../images/names.ts'
import { adama } from '../helpers/adama.ts'
import { BtrfsReader, type Volume } from './btrfs.ts'
import { type Cut, fate } from './cut-points.ts'
import { type DiskState, slice } from './disk-state.ts'
import { Memo } from './memo.ts'
import { PROBE, type Recording } from './recording.ts'
import { type NewestCopy, recordLines } from './stored-copies.ts'
import type { Range } from './sweep.ts'
import { UNBOOTABLE, type Verdict, WHOLE } from './verdict.ts'
import { entriesTouching, type LogEntry, overlaps, type WriteLog } from './write-log.ts'

/** An update or a revert in a recording, and the expected state before and after the write that commits it. */
export interface Change {
  readonly range: Range
  readonly selectorWrite: number
  readonly before: Side
  readonly after: Side
}

export interface Side {
  readonly slot: Slot
  readonly root: string
  /** Value that the service's data must have. */
  readonly probe: string
}

/** As in overlays/device/system/data.sh. */
const MARK = 'hangar is formatting this partition'
const LAYOUT = layoutOnDisk(adama.slotSize, adama.disk)
const SERVICES = adama.services.map(({ name }) => name)

export function place(name: PartitionName): Partition {
  return partition(LAYOUT, name)
}

export function isIn(name: PartitionName, entry: LogEntry): boolean {
  return overlaps(entry, place(name).offset, place(name).size)
}

export function part(disk: DiskState, name: PartitionName): DiskState {
  const { offset, size } = place(name)
  return slice(disk, offset, size)
}

export function updateIn(log: WriteLog, { marks, roots }: Recording): Change {
  const range = { from: marks.updateBegins, to: marks.updateEnds }
  const [before, after] = [
    { slot: 'a', root: roots.a, probe: PROBE.before },
    { slot: 'b', root: roots.b, probe: PROBE.migrated },
  ] as const
  return { range, before, after, selectorWrite: selectorWriteIn(log, range) }
}

export function revertIn(log: WriteLog, { marks, roots }: Recording): Change {
  const range = { from: marks.revertBegins, to: marks.revertEnds }
  const [before, after] = [
    { slot: 'b', root: roots.b, probe: PROBE.later },
    { slot: 'a', root: roots.a, probe: PROBE.later },
  ] as const
  return { range, before, after, selectorWrite: selectorWriteIn(log, range) }
}

/** Starts of the committed slot, which decide nothing: the same slot and data before and after each write. */
export function restartIn(_log: WriteLog, { marks, roots }: Recording): Change {
  const range = { from: marks.restartBegins, to: marks.restartEnds }
  const side = { slot: 'b', root: roots.b, probe: PROBE.later } as const
  return { range, before: side, after: side, selectorWrite: range.from }
}

/** Number of the only write to the selector. A second write would change what the first one decided. */
function selectorWriteIn(log: WriteLog, { from, to }: Range): number {
  const { offset, size } = place('selector')
  const writes = entriesTouching(log, offset, size).filter(({ number }) => number >= from && number < to)
  const [only] = writes
  if (only !== undefined && writes.length === 1 && only.length === SECTOR) return only.number
  throw new Error(`wanted one write of one sector to the selector, have ${JSON.stringify(writes)}`)
}

/** The expected state after a cut, which depends only on whether the selector's sector is on the disk. */
export function sideAt(cut: Cut, { selectorWrite, before, after }: Change): Side {
  return fate(cut, selectorWrite) === 'missing' ? before : after
}

/** Returns a check for the cuts of a change, for `SweepRequest.expected`. */
export function expecting(change: Change, checks: 'everything' | 'no data' = 'everything') {
  const reader = new BtrfsReader()
  const records = new Memo<ReadonlyMap<string, string>>()
  let trust: NewestCopy | undefined
  return (cut: Cut, { runs, other, identity }: Verdict, disk: DiskState): string | undefined => {
    const wanted = sideAt(cut, change)
    trust ??= identity
    if (runs?.slot !== wanted.slot || runs.root !== wanted.root)
      return `runs ${runs?.slot} (${runs?.root}), wanted ${wanted.slot}`
    if (other !== UNBOOTABLE && other !== WHOLE) return `the other slot can boot but is damaged: ${other}`
    if (wanted === change.before && isNewer(identity, trust)) return 'identity: keys of an image that is not committed'
    const record = records.get(part(disk, 'identity'), recordLines)
    return (
      recordProblem(record, change, wanted) ?? (checks === 'everything' ? dataProblem(reader, disk, wanted) : undefined)
    )
  }
}

function isNewer(one: NewestCopy, other: NewestCopy): boolean {
  return one.state === 'whole' && other.state === 'whole' && one.sequence > other.sequence
}

/** Returns a check for the cuts of the first boot: the data volume is complete, or the next boot formats it again. */
export function expectingFirstBoot() {
  const reader = new BtrfsReader()
  return (_cut: Cut, { boots, other, data }: Verdict, disk: DiskState): string | undefined => {
    if (boots !== 'a' || other !== UNBOOTABLE) return `boots ${boots}, and the other slot is ${other}`
    const volume = part(disk, 'data')
    const isBegun = Buffer.from(volume.read(0, MARK.length)).toString() === MARK
    const isBlank = data === 'none' && volume.read(0, 4 * MIB).every((byte) => byte === 0)
    return isBegun || isBlank ? undefined : problemOfVolume(reader, volume)
  }
}

function problemOfVolume(reader: BtrfsReader, volume: DiskState): string | undefined {
  try {
    reader.read(volume)
    return undefined
  } catch (error) {
    return `data: ${(error as Error).message}`
  }
}

/** The record must show whether the next boot completes the commit, and which slot autoboot.txt named. */
function recordProblem(record: ReadonlyMap<string, string>, { after }: Change, wanted: Side): string | undefined {
  const [phase, root] = [record.get('phase'), record.get('root')]
  const isCommitted = phase === 'committed' && root === after.root
  if (wanted !== after) return isCommitted ? `record: '${phase}' before the selector's write` : undefined
  const isKnown = isCommitted || (phase === 'committing' && root === after.root)
  return isKnown && record.get('committed') === after.slot ? undefined : `record: '${phase}' after the selector's write`
}

/** Describes a problem of the data of the slot that runs. Undefined if it finds its own data. */
export function dataProblem(reader: BtrfsReader, disk: DiskState, { slot, probe }: Side): string | undefined {
  let volume: Volume
  try {
    volume = reader.read(part(disk, 'data'))
  } catch (error) {
    return `data: ${(error as Error).message}`
  }
  const missing = SERVICES.find((name) => !volume.subvolumes.has(`${name}@${slot}`))
  if (missing !== undefined) return `data: ${missing}@${slot} is missing`
  const found = volume.subvolumes.get(`${PROBE.service}@${slot}`)?.get('probe')?.trim()
  return found === probe ? undefined : `data: slot ${slot} finds '${found}', wanted '${probe}'`
}
