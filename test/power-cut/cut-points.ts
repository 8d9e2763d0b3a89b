import { SECTOR } from '../../images/layout.ts'
import { type Random, randomFrom, sample } from './random.ts'
import { changes, type LogEntry, type WriteLog } from './write-log.ts'

/**
 * What a disk may have made of the writes that no flush covered when the power went: all that were sent, in order; all
 * but one; one alone; any of them; or of one a part, with all that were sent before it or none.
 */
export type CutKind = 'prefix' | 'drop-one' | 'keep-one' | 'subset' | 'torn'

/** Bytes `from` to `to` of a write. */
export interface Piece {
  readonly entry: LogEntry
  readonly from: number
  readonly to: number
}

/** Writes between two flushes. */
export interface Epoch {
  /** Number of the first entry behind the flush. */
  readonly first: number
  readonly writes: readonly LogEntry[]
}

export interface Cut {
  /** Names it in a report, and to be tried alone. */
  readonly id: string
  readonly kind: CutKind
  /** The last entry that had been sent, -1 for none. */
  readonly entry: number
  readonly epoch: Epoch
  /** So many of the epoch's writes are on the disk whole, from the first one on. */
  readonly prefix: number
  /** What is there beside them. */
  readonly pieces: readonly Piece[]
}

export interface CutOptions {
  readonly seed: number
  /** How many of each kind are tried at most between two flushes. */
  readonly drops: number
  readonly keeps: number
  readonly subsets: number
  /** Writes that are torn, each in up to four ways. */
  readonly torn: number
  /** Writes that are never left out of the sample. */
  readonly critical: (entry: LogEntry) => boolean
}

/** Writes and discards by the flush that ends them; the last ones may have none. */
export function epochsOf({ entries }: WriteLog): Epoch[] {
  const epochs: { first: number; writes: LogEntry[] }[] = [{ first: 0, writes: [] }]
  for (const entry of entries) {
    if (entry.kind === 'flush') epochs.push({ first: entry.number + 1, writes: [] })
    else if (changes(entry)) epochs.at(-1)?.writes.push(entry)
  }
  return epochs
}

/** All moments from an entry on, in order of their epochs; the same for the same log and options. */
export function* cutPoints(log: WriteLog, options: CutOptions, from = 0): Generator<Cut> {
  for (const epoch of epochsOf(log).filter((each) => lastOf(each) >= from - 1)) {
    const random = randomFrom(options.seed, epoch.first)
    yield* inOrder(epoch, options, random)
    yield* reordered(epoch, options, random)
  }
}

/** Whether and how an entry's bytes are on the disk. */
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
  // Of two writes, one alone is the other left out; of three, there is no more to try than one left out and one alone.
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

/** The others had to wait, and what was under way was not finished. */
function* tornAlone(epoch: Epoch, options: CutOptions, random: Random): Generator<Cut> {
  for (const write of chosen(epoch.writes.filter(isLong), options.torn, options, random)) {
    // With nothing before it that is no other cut than the one in order.
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

/** Disks write whole sectors: of a longer write the first only, the last only, half of them, or some in the middle. */
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
