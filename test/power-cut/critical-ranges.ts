import type { BlockSource } from '../../images/disk/block-source.ts'
import { type GptPartition, readGpt } from '../../images/disk/gpt-read.ts'
import { MIB, SECTOR } from '../../images/layout.ts'

/** A range of the disk. */
export interface Range {
  readonly offset: number
  readonly size: number
}

/**
 * Ranges on which a boot depends: partition table, selector, identity, first sectors and superblocks. The sweep tries every
 * write to them.
 */
export function criticalRanges(disk: BlockSource): Range[] {
  const table = { offset: 0, size: MIB }
  return [table, ...readGpt(disk).flatMap(rangesIn)]
}

function rangesIn({ name, offset, size }: GptPartition): Range[] {
  if (name === 'selector' || name === 'identity') return [{ offset, size }]
  // The first sector decides whether the slot can boot.
  if (name.startsWith('boot-')) return [{ offset, size: SECTOR }]
  if (name === 'data') return [64 * 1024, 64 * MIB].map((at) => ({ offset: offset + at, size: 4096 }))
  return []
}
