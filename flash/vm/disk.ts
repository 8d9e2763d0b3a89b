import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { rename, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { fullDiskLine } from '../../lib/full-disk.ts'
import { run } from '../../lib/subprocess.ts'

/** Copies the image to a sparse file of the real disk's size. */
export async function copyDisk(image: string, copy: string, size: number): Promise<void> {
  const imageSize = statSync(image).size
  if (imageSize > size) {
    throw new UserError('vm', `image '${image}' has ${imageSize} bytes, the host's disk has ${size}`, {
      hint: "state the disk's size in the host file: disk: '64 GB'",
    })
  }
  const half = `${copy}.part`
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' }
  const { exitCode, output } = await run('cp', ['--sparse=always', '--reflink=auto', image, half], { env })
  if (exitCode !== 0) {
    const isFull = fullDiskLine(output) !== undefined || /File too large/i.test(output)
    throw new UserError('vm', `cannot copy '${image}' to '${half}': ${output.trim()}`, {
      hint: isFull
        ? `free disk space in '${dirname(half)}': df -h '${dirname(half)}'`
        : `check that you may read the image and write the directory: ls -ld '${image}' '${dirname(half)}'`,
    })
  }
  await truncate(half, size)
  await rename(half, copy)
}

/** Whether the image is newer than its copy. */
export function isOutdated(copy: string, image: string): boolean {
  return existsSync(copy) && existsSync(image) && statSync(copy).birthtimeMs < statSync(image).mtimeMs
}

/** Reads a disk image for as long as `use` takes. */
export function withDisk<T>(path: string, use: (disk: BlockSource) => T): T {
  const file = openSync(path, 'r')
  try {
    return use({ size: fstatSync(file).size, read: (offset, length) => readAt(file, offset, length) })
  } finally {
    closeSync(file)
  }
}

/** Reads bytes of a file, and returns zeros beyond its end, as a block source does. */
function readAt(file: number, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let filled = 0
  for (let count = -1; count !== 0 && filled < length; filled += count) {
    count = readSync(file, out, filled, length - filled, offset + filled)
  }
  return out
}
