import { UserError } from '../../../errors.ts'
import type { Digest } from '../../../images/digest.ts'
import { planFat } from '../../../images/disk/fat-write.ts'
import { BOOT_SIZE } from '../../../images/layout.ts'
import { formatSize } from '../../../lib/format.ts'
import { bytesSegment, fileSegment, type Segment } from '../../outputs/segment.ts'
import { type FileState, filledDigest } from '../../outputs/state.ts'

export type BootFile =
  | { readonly file: string; readonly size: number; readonly digest: Digest }
  | { readonly text: string }

export interface PlannedBoot {
  readonly segments: readonly Segment[]
  /** Bytes of the file system, which may be less than its partition. */
  readonly size: number
}

/**
 * The boot file system, its files in the order given: what changes most often comes last, and moves nothing. `state` is
 * of the one that is there: a kernel that it has is not read again.
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
    `the boot files take ${formatSize(size)}, their partition has ${formatSize(BOOT_SIZE)}; the largest: ${named}`,
    { hint: 'the initramfs holds more modules than it needs: take some out in images/kernel/modules.ts' },
  )
}
