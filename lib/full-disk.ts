import { statfsSync } from 'node:fs'
import { mountOf } from './mount.ts'

/**
 * How programs say that a file system is full, in the C locale: strerror(3) (ENOSPC, EDQUOT), Go and Rust, errno numbers
 * of Node, Python and mkfs.erofs, and messages without the reason of the system.
 */
const FULL_TEXTS = [
  /no space left on device/i,
  /disk quota exceeded/i,
  /\b(ENOSPC|EDQUOT)\b/,
  /\b(errno|os error|error) (28|122)\b/i,
  /database or disk is full/,
  /\bnot enough (free )?(disk )?space\b/i,
  /don't have enough free space in/,
  /there is not enough space on the disk/i,
  /\bWrote only \d+ of \d+ bytes\b/,
]

/** The last line of a program's output that says that a file system is full. */
export function fullDiskLine(output: string): string | undefined {
  return output
    .split('\n')
    .filter((line) => FULL_TEXTS.some((text) => text.test(line)))
    .at(-1)
}

export interface Space {
  /** The mount point of the file system. */
  readonly mount: string
  readonly freeBytes: number
  /** Infinity for a file system without a fixed number of files. */
  readonly freeFiles: number
}

/** The file system of a path that exists; undefined when the system does not tell. */
export function spaceOf(path: string): Space | undefined {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(path)
    const freeFiles = files === 0 ? Number.POSITIVE_INFINITY : ffree
    return { mount: mountOf(path).point, freeBytes: bavail * bsize, freeFiles }
  } catch {
    return undefined
  }
}

/** Bytes. A file system with less free space counts as full: a program may have removed an incomplete file. */
const NEARLY_NOTHING = 16 * 2 ** 20

/** What a file system lacks. */
export function lackOf({ freeBytes, freeFiles }: Space): 'space' | 'files' | undefined {
  if (freeBytes < NEARLY_NOTHING) return 'space'
  return freeFiles < 16 ? 'files' : undefined
}
