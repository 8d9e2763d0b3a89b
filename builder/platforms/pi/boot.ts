import { UserError } from '../../../errors.ts'
import { planFat } from '../../../images/disk/fat-write.ts'
import { BOOT_SIZE } from '../../../images/layout.ts'
import { formatSize } from '../../../lib/format.ts'
import { bytesSegment, fileSegment, type Segment } from '../../outputs/segment.ts'
import { type FileState, filledDigest } from '../../outputs/state.ts'
import type { BootFile } from '../platform.ts'

export interface PlannedBoot {
  readonly segments: readonly Segment[]
  /** The size of the file system in bytes, at most the size of its partition. */
  readonly size: number
}

/**
 * Plans the boot file system with its files in this order. Files that change often come last, so that they do not move
 * other files. `state` describes the existing image: if the kernel is unchanged, hangar does not read it again.
 */
export function planBoot(host: string, files: Readonly<Record<string, BootFile>>, state?: FileState): PlannedBoot {
  const entries = Object.entries(files)
  const {
    size,
    head,
    files: placed,
  } = planFat(
    'fat32',
    `${host}-boot`,
    entries.map(([name, file]) => ({ name, size: sizeOf(file) })),
  )
  if (size > BOOT_SIZE) throw tooLarge(size, entries)
  const segments = entries.map(([, file], index) => {
    const offset = placed[index]?.offset ?? 0
    if ('text' in file) return bytesSegment(offset, Buffer.from(file.text))
    return fileSegment(offset, file, filledDigest(state, file.digest))
  })
  return { segments: [bytesSegment(0, head), ...segments], size }
}

function sizeOf(file: BootFile): number {
  return 'text' in file ? Buffer.byteLength(file.text) : file.size
}

function tooLarge(size: number, entries: readonly (readonly [string, BootFile])[]): UserError {
  const largest = [...entries].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a)).slice(0, 3)
  const named = largest.map(([name, file]) => `${name} ${formatSize(sizeOf(file))}`).join(', ')
  return new UserError(
    'size',
    `the boot files take ${formatSize(size)}, but their partition has ${formatSize(BOOT_SIZE)}; the largest: ${named}`,
    { hint: 'remove kernel modules from the initramfs, in images/kernel/modules.ts' },
  )
}
