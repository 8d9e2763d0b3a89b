import { closeSync, openSync, readSync } from 'node:fs'
import { type Layout, partition } from '../../images/layout.ts'
import { diskFailure } from './failure.ts'
import type { DiskTarget } from './target.ts'

/** The magic of btrfs in its first superblock (btrfs(5)). */
const MAGIC = { offset: 64 * 1024 + 64, text: '_BHRfS_M' }

/** Whether the disk holds a data volume at the offset that the layout gives. */
export function hasDataVolume(target: DiskTarget, layout: Layout): boolean {
  if (target.kind === 'file' && target.state === 'missing') return false
  const found = readStart(target.path, partition(layout, 'data').offset + MAGIC.offset, MAGIC.text.length)
  return found.toString('latin1') === MAGIC.text
}

function readStart(path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, bytes, 0, length, offset)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw diskFailure('read', path, error)
  }
  return bytes
}
