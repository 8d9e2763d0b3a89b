import type { BlockSource } from '../../images/disk/block-source.ts'
import { type GptPartition, readGpt } from '../../images/disk/gpt-read.ts'
import { MIB, SECTOR } from '../../images/layout.ts'

/** Bytes of a disk on which a boot hangs. */
export interface Place {
  readonly offset: number
  readonly size: number
}

/** The few places whose every write is tried in every way: partition table, selector, what a host remembers, and so on. */
export function criticalPlaces(disk: BlockSource): Place[] {
  const table = { offset: 0, size: MIB }
  return [table, ...readGpt(disk).flatMap(placesIn)]
}

function placesIn({ name, offset, size }: GptPartition): Place[] {
  if (name === 'selector' || name === 'identity') return [{ offset, size }]
  // Where the first sector says whether it is one at all.
  if (name.startsWith('boot-')) return [{ offset, size: SECTOR }]
  if (name === 'data') return [64 * 1024, 64 * MIB].map((at) => ({ offset: offset + at, size: 4096 }))
  return []
}
