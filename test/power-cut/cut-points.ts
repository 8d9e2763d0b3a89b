import { SECTOR } from '../../images/layout.ts'
import { type Random, randomFrom, sample } from './random.ts'
import { changes, type LogEntry, type WriteLog } from './write-log.ts'

/**
 * Which writes since the last flush are on the disk after a power cut:
 * prefix: all up to one, in order. drop-one: all but one. keep-one: one alone. subset: any of them.
 * torn: a part of one write, with either all writes before it or none.
 */
export type CutKind = 'prefix' | 'drop-one' | 'keep-one' | 'subset' | 'torn'

/** Bytes `from` to `to` (exclusive) of a write. */
export interface Piece {
  readonly entry: LogEntry
  readonly from: number
  readonly to: number
}

/** Writes between two flushes. */
export interface Epoch {
  /** Number of the first entry after the flush. */
  readonly first: number
  readonly writes: readonly LogEntry[]
}

export interface Cut {
  /** Name in reports. `SweepRequest.only` can select a cut by it. */
  readonly id: string
  readonly kind: CutKind
  /** Number of the last entry that was sent before the cut, -1 for none. */
  readonly entry: number
  readonly epoch: Epoch
  /** Count of the epoch's writes, from the first one, that are completely on the disk. */
  readonly prefix: number
  /** Other bytes of the epoch that are on the disk. */
  readonly pieces: readonly Piece[]
}

export interface CutOptions {
  readonly seed: number
  /** The largest number of cuts of each kind between two flushes. */
  readonly drops: number
  readonly keeps: number
  readonly subsets: number
  /** The largest number of writes to tear, each in up to four ways. */
  readonly torn: number
  /** Writes that every sample contains. */
  readonly critical: (entry: LogEntry) => boolean
}

/** Groups writes and discards by the flush that follows them. The last group may have no flush. */
export function epochsOf({ entries }: WriteLog): Epoch[] {
  const epochs: { first: number; writes: LogEntry[] }[] = [{ first: 0, writes: [] }]
  for (const entry of entries) {
    if (entry.kind === 'flush') epochs.push({ first: entry.number + 1, writes: [] })
    else if (changes(entry)) epochs.at(-1)?.writes.push(entry)
  }
  return epochs
}

/** All cuts from an entry on, in the order of their epochs. The same log and options give the same cuts. */
export function* cutPoints(log: WriteLog, options: CutOptions, from = 0): Generator<Cut> {
  for (const epoch of epochsOf(log).filter((each) => lastOf(each) >= from - 1)) {
    const random = randomFrom(options.seed, epoch.first)
    yield* inOrder(epoch, options, random)
    yield* reordered(epoch, options, random)
  }
}

/** The part of an entry that is on the disk after a cut. */
export function fate(cut: Cut, number: number): 'whole' | 'torn' | 'missing' {
  if (number < cut.epoch.first) return 'whole'
  const index = cut.epoch.writes.findIndex((entry) => entry.number === number)
  if (index === -1) return 'missing'
  if (index < cut.prefix) return 'whole'
  const piece = cut.pieces.find(({ entry }) => entry.number === number)
  if (piece === undefined) return 'missing'
  return piece.to - piece.from === piece.entry.length ? 'whole' : 'torn'
}

function* inOrder(epoch: Epoch, options: CutOptions, random: Random): Generator<Cut> {
  const { writes, first } = epoch
  const torn = new Set(chosen(writes.filter(isLong), options.torn, options, random))
  const dropped = new Set(writes.length < 2 ? [] : chosen(writes, options.drops, options, random))
  yield { id: `prefix@${first - 1}`, kind: 'prefix', entry: first - 1, epoch, prefix: 0, pieces: [] }
  for (const [prefix, write] of writes.entries()) {
    const entry = write.number
    if (torn.has(write)) {
      for (const [how, piece] of tears(write, random))
        yield { id: `torn@${entry}:${how}`, kind: 'torn', entry, epoch, prefix, pieces: [piece] }
    }
    if (dropped.has(write) && write !== writes.at(-1)) {
      const pieces = writes.slice(prefix + 1).map(whole)
      yield { id: `drop-one@${entry}`, kind: 'drop-one', entry: lastOf(epoch), epoch, prefix, pieces }
    }
    yield { id: `prefix@${entry}`, kind: 'prefix', entry, epoch, prefix: prefix + 1, pieces: [] }
  }
}

function* reordered(epoch: Epoch, options: CutOptions, random: Random): Generator<Cut> {
  const { writes, first } = epoch
  const common = { entry: lastOf(epoch), epoch, prefix: 0 }
  yield* tornAlone(epoch, options, random)
  // With two writes, keep-one equals drop-one. With three, drop-one and keep-one cover every subset.
  if (writes.length < 3) return
  for (const write of chosen(writes, options.keeps, options, random)) {
    if (write === writes[0]) continue
    yield { ...common, id: `keep-one@${write.number}`, kind: 'keep-one', pieces: [whole(write)] }
  }
  if (writes.length < 4) return
  const seen = new Set<string>()
  for (let turn = 0; turn < options.subsets; turn++) {
    const share = random()
    const pieces = writes.filter(() => random() < share).map(whole)
    const drawn = pieces.map(({ entry }) => entry.number).join()
    if (seen.has(drawn)) continue
    seen.add(drawn)
    yield { ...common, id: `subset@${first}:${turn}`, kind: 'subset', pieces }
  }
}

/** One torn write without the others of its epoch. */
function* tornAlone(epoch: Epoch, options: CutOptions, random: Random): Generator<Cut> {
  for (const write of chosen(epoch.writes.filter(isLong), options.torn, options, random)) {
    // For the first write, this cut equals the cut that tears it after all earlier writes.
    if (write === epoch.writes[0]) continue
    for (const [how, piece] of tears(write, random))
      yield {
        id: `torn@${write.number}:${how}-alone`,
        kind: 'torn',
        entry: lastOf(epoch),
        epoch,
        prefix: 0,
        pieces: [piece],
      }
  }
}

/**
 * A disk writes whole sectors. After a power cut in a longer write, the disk may hold its first sector, its last sector, its
 * first half, or some sectors in the middle.
 */
function tears(write: LogEntry, random: Random): [string, Piece][] {
  const sectors = write.length / SECTOR
  const half = Math.ceil(sectors / 2)
  const from = Math.floor(random() * sectors)
  const to = from + 1 + Math.floor(random() * (sectors - from))
  const ways: [string, number, number][] = [
    ['first', 0, 1],
    ['last', sectors - 1, sectors],
    ['half', 0, half],
    ['middle', from, to],
  ]
  const isNew = ([, start, end]: [string, number, number], index: number) =>
    ways.findIndex(([, otherStart, otherEnd]) => start === otherStart && end === otherEnd) === index
  return ways
    .filter(isNew)
    .filter(([, start, end]) => end - start < sectors)
    .map(([how, start, end]) => [how, { entry: write, from: start * SECTOR, to: end * SECTOR }])
}

function chosen(writes: readonly LogEntry[], count: number, { critical }: CutOptions, random: Random): LogEntry[] {
  const rest = writes.filter((write) => !critical(write))
  return [...writes.filter(critical), ...sample(rest, count, random)].sort((one, other) => one.number - other.number)
}

function lastOf({ writes, first }: Epoch): number {
  return writes.at(-1)?.number ?? first - 1
}

function isLong({ length }: LogEntry): boolean {
  return length > SECTOR
}

function whole(entry: LogEntry): Piece {
  return { entry, from: 0, to: entry.length }
}
