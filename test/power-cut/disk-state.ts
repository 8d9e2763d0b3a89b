import type { BlockSource } from '../../images/disk/block-source.ts'
import { type IntervalMap, type Segment, ZEROS } from './interval-map.ts'
import type { WriteLog } from './write-log.ts'

/** The content of a disk at one moment of the log. */
export interface DiskState extends BlockSource {
  /** Describes where the bytes of a range come from. Two states of one log with the same origin have the same bytes. */
  origin(offset: number, length: number): string
  /** Segments of a range that the log has written, in order. */
  applied(offset: number, length: number): readonly Segment[]
}

/** A disk image with parts of a log applied. The first layer hides the later ones. */
export function diskState(base: BlockSource, log: WriteLog, layers: readonly IntervalMap[]): DiskState {
  const segments = (offset: number, length: number) => {
    const found: Segment[] = []
    collect(layers, 0, offset, offset + length, found)
    return found
  }
  return {
    size: base.size,
    applied: segments,
    origin: (offset, length) =>
      segments(offset, length)
        .map(({ start, end, source }) => `${start - offset}-${end - offset}:${source}`)
        .join(),
    read(offset, length) {
      const applied = segments(offset, length)
      const isCovered = applied.length === 1 && applied[0]?.start === offset && applied[0]?.end === offset + length
      const out = isCovered ? new Uint8Array(length) : base.read(offset, length)
      for (const { start, end, source } of applied) {
        const part = out.subarray(start - offset, end - offset)
        if (source === ZEROS) part.fill(0)
        else log.read(source, part)
      }
      return out
    },
  }
}

/** Returns a range of a disk as a disk of its own. */
export function slice(disk: DiskState, offset: number, size: number): DiskState {
  return {
    size,
    read: (at, length) => disk.read(offset + at, length),
    origin: (at, length) => disk.origin(offset + at, length),
    applied: (at, length) =>
      disk
        .applied(offset + at, length)
        .map(({ start, end, source }) => ({ start: start - offset, end: end - offset, source })),
  }
}

function collect(layers: readonly IntervalMap[], top: number, start: number, end: number, found: Segment[]): void {
  const layer = layers[top]
  if (layer === undefined || start >= end) return
  let at = start
  for (const segment of layer.within(start, end)) {
    collect(layers, top + 1, at, segment.start, found)
    found.push(segment)
    at = segment.end
  }
  collect(layers, top + 1, at, end, found)
}
