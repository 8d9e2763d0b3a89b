import { gptPieces } from '../../../images/disk/gpt-write.ts'
import { planSelector } from '../../../images/disk/selector.ts'
import { BLOCK, type Layout, partition, SECTOR } from '../../../images/layout.ts'
import { bytesSegment, type Segment, shifted } from '../../outputs/segment.ts'
import type { PlannedBoot } from './boot.ts'
import type { PlannedSlot } from './slot.ts'

/**
 * Plans a disk that boots slot a. The first block of boot-b contains zeros, so that no firmware boots it. This block
 * cannot be a hole, because tools that write a card skip holes, and the firmware could boot old content. Identity,
 * slot-b and data are holes: the host creates them, or keeps their content.
 */
export function planDisk(layout: Layout, host: string, boot: PlannedBoot, slot: PlannedSlot): Segment[] {
  const [primary, backup] = gptPieces(layout, host)
  return [
    bytesSegment(0, primary.bytes),
    ...shifted(selector(), partition(layout, 'selector').offset),
    ...shifted(boot.segments, partition(layout, 'boot-a').offset),
    bytesSegment(partition(layout, 'boot-b').offset, Buffer.alloc(BLOCK)),
    ...shifted(slot.segments, partition(layout, 'slot-a').offset),
    wholeBlocks(backup.offset, backup.bytes),
  ]
}

function selector(): Segment[] {
  const { head, sector, autoboot } = planSelector()
  return [bytesSegment(0, head), bytesSegment(sector * SECTOR, autoboot.a)]
}

/** The backup table does not begin at a block boundary, so zeros fill the start of its first block. */
function wholeBlocks(offset: number, bytes: Uint8Array): Segment {
  const before = offset % BLOCK
  return bytesSegment(offset - before, Buffer.concat([Buffer.alloc(before), bytes]))
}
