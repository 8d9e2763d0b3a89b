import type { BlockSource } from '../../images/disk/block-source.ts'
import { criticalRanges } from './critical-ranges.ts'
import { type Cut, type CutKind, type CutOptions, cutPoints } from './cut-points.ts'
import { type DiskState, diskState } from './disk-state.ts'
import { IntervalMap, ZEROS } from './interval-map.ts'
import { Judge, losses, type Verdict } from './verdict.ts'
import { changes, type LogEntry, overlaps, type WriteLog } from './write-log.ts'

export interface SweepRequest {
  /** The disk before the cut's epoch. Callers must go through the epochs in order. */
  readonly base: BlockSource
  readonly log: WriteLog
  readonly options?: Partial<CutOptions>
  /** Cuts after entry `from - 1` up to entry `to - 1`. Default: the whole log. */
  readonly range?: Range
  /** Describes a problem that neither `Verdict` nor `losses` covers. Undefined if there is none. */
  readonly expected?: (cut: Cut, verdict: Verdict, disk: DiskState) => string | undefined
  /** Selects the cuts to try. */
  readonly only?: (cut: Cut) => boolean
  /** A judge that has seen the same log, to reuse its results. */
  readonly judge?: Judge
}

export interface Range {
  readonly from: number
  readonly to: number
}

export interface Row {
  readonly kind: CutKind | 'total'
  tried: number
  /** Counts of cuts after which the firmware boots slot a, slot b or none. */
  a: number
  b: number
  stuck: number
  /** Count of cuts after which the slot that boots has no problem. */
  verified: number
  damagedSelectors: number
  /** Count of cuts after which the host must repair the data volume before it mounts it. */
  tornSuperblocks: number
  failed: number
}

export interface Failure {
  readonly id: string
  readonly kind: CutKind
  readonly entry: number
  readonly problems: readonly string[]
}

export interface SweepReport {
  readonly seed: number
  readonly entries: number
  readonly rows: readonly Row[]
  readonly failures: readonly Failure[]
}

const DEFAULTS = { seed: 1, drops: 24, keeps: 24, subsets: 8, torn: 24 }

/**
 * Cuts the power at every entry of a log, and in every way in which a disk may reorder or tear the writes between two
 * flushes (cut-points.ts). Judges each resulting disk (verdict.ts), and compares it with the disk at the last flush, whose
 * identity, record and data must not be lost. docs/power-cuts.md describes the whole sweep.
 */
export function sweep({ base, log: whole, options, range, only, ...given }: SweepRequest): SweepReport {
  const { expected = () => undefined, judge = new Judge() } = given
  const { from, to } = range ?? { from: 0, to: whole.entries.length }
  const log = { ...whole, entries: whole.entries.slice(0, to) }
  const all: CutOptions = { ...DEFAULTS, critical: touchesAny(criticalRanges(base)), ...options }
  const rows = new Map<CutKind, Row>()
  const failures: Failure[] = []
  const states = new States(base, log)
  let before: { readonly first: number; readonly verdict: Verdict } | undefined
  for (const cut of cutPoints(log, all, from)) {
    if (cut.entry < from - 1) continue
    if (before?.first !== cut.epoch.first)
      before = { first: cut.epoch.first, verdict: judge.judge(states.flushed(cut)) }
    if (only !== undefined && !only(cut)) continue
    const disk = states.at(cut)
    const verdict = judge.judge(disk)
    const unexpected = expected(cut, verdict, disk)
    const problems = [...verdict.problems, ...losses(before.verdict, verdict), ...(unexpected ? [unexpected] : [])]
    count(rows, cut.kind, verdict, problems)
    if (problems.length > 0) failures.push({ id: cut.id, kind: cut.kind, entry: cut.entry, problems })
  }
  return { seed: all.seed, entries: to - from, rows: [...rows.values()], failures }
}

/** Makes the disk of each cut, in order. Applies flushed writes only once. */
class States {
  private readonly flushedWrites = new IntervalMap()
  private next = 0
  private prefix = { first: 0, length: 0, writes: new IntervalMap() }
  private readonly base: BlockSource
  private readonly log: WriteLog

  constructor(base: BlockSource, log: WriteLog) {
    this.base = base
    this.log = log
  }

  /** The disk before the cut's epoch. Callers must go through the epochs in order. */
  flushed({ epoch }: Cut) {
    for (; this.next < epoch.first; this.next++) {
      const entry = this.log.entries[this.next]
      if (entry !== undefined && changes(entry)) apply(this.flushedWrites, entry, 0, entry.length)
    }
    return diskState(this.base, this.log, [this.flushedWrites])
  }

  at(cut: Cut) {
    const pieces = new IntervalMap()
    for (const { entry, from, to } of cut.pieces) apply(pieces, entry, from, to)
    return diskState(this.base, this.log, [pieces, this.prefixOf(cut), this.flushedWrites])
  }

  private prefixOf({ epoch, prefix }: Cut): IntervalMap {
    const isBehind = this.prefix.first !== epoch.first || this.prefix.length > prefix
    if (isBehind) this.prefix = { first: epoch.first, length: 0, writes: new IntervalMap() }
    const { length, writes } = this.prefix
    for (const entry of epoch.writes.slice(length, prefix)) apply(writes, entry, 0, entry.length)
    this.prefix.length = prefix
    return writes
  }
}

// QEMU's disk returns zeros for discarded ranges.
function apply(map: IntervalMap, { kind, offset, dataAt }: LogEntry, from: number, to: number): void {
  map.set(offset + from, offset + to, kind === 'discard' ? ZEROS : dataAt + from)
}

function touchesAny(places: readonly { readonly offset: number; readonly size: number }[]) {
  return (entry: LogEntry) => places.some(({ offset, size }) => overlaps(entry, offset, size))
}

function count(rows: Map<CutKind, Row>, kind: CutKind, verdict: Verdict, problems: readonly string[]): void {
  const none = { kind, tried: 0, a: 0, b: 0, stuck: 0, verified: 0, damagedSelectors: 0, tornSuperblocks: 0, failed: 0 }
  const row = rows.get(kind) ?? none
  rows.set(kind, row)
  row.tried += 1
  row[verdict.boots ?? 'stuck'] += 1
  if (verdict.problems.length === 0) row.verified += 1
  if (verdict.selector === 'damaged') row.damagedSelectors += 1
  if (verdict.data === 'second') row.tornSuperblocks += 1
  if (problems.length > 0) row.failed += 1
}
