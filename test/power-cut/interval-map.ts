/** A range of the disk. Its bytes are in the log's file from `source` on, or are ZEROS. */
export interface Segment {
  readonly start: number
  readonly end: number
  readonly source: number
}

export const ZEROS = -1

/** The last value that was set for each byte. Segments are in order and do not overlap. */
export class IntervalMap {
  private readonly segments: Segment[] = []

  set(start: number, end: number, source: number): void {
    if (start >= end) return
    const first = this.firstEndingAfter(start)
    let behind = first
    while ((this.segments[behind]?.start ?? Number.POSITIVE_INFINITY) < end) behind += 1
    const [left, right] = [this.segments[first], this.segments[behind - 1]]
    const parts: Segment[] = [{ start, end, source }]
    if (behind > first && left !== undefined && left.start < start) parts.unshift(clipped(left, left.start, start))
    if (behind > first && right !== undefined && right.end > end) parts.push(clipped(right, end, right.end))
    this.segments.splice(first, behind - first, ...parts)
  }

  /** Segments within a range, cut at its ends. */
  within(start: number, end: number): Segment[] {
    const found: Segment[] = []
    for (let index = this.firstEndingAfter(start); ; index++) {
      const segment = this.segments[index]
      if (segment === undefined || segment.start >= end) return found
      found.push(clipped(segment, Math.max(segment.start, start), Math.min(segment.end, end)))
    }
  }

  private firstEndingAfter(position: number): number {
    let [low, high] = [0, this.segments.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.segments[middle] as Segment).end > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

function clipped(segment: Segment, start: number, end: number): Segment {
  if (segment.start === start && segment.end === end) return segment
  return { start, end, source: segment.source === ZEROS ? ZEROS : segment.source + start - segment.start }
}
