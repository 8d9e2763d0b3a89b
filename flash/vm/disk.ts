import { execFile } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { rename, truncate } from 'node:fs/promises'
import { promisify } from 'node:util'
import { UserError } from '../../errors.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'

/** A copy of the image as the real disk holds it: with room behind. What is empty takes no space. */
export async function copyDisk(image: string, copy: string, size: number): Promise<void> {
  const imageSize = statSync(image).size
  if (imageSize > size) {
    throw new UserError('vm', `image '${image}' has ${imageSize} bytes, the host's disk ${size}`, {
      hint: "give the host file the disk's size: disk: '64 GB'",
    })
  }
  const half = `${copy}.part`
  try {
    await promisify(execFile)('cp', ['--sparse=always', '--reflink=auto', image, half])
  } catch (error) {
    throw new UserError('vm', `cannot copy '${image}' to '${half}'`, { hint: 'make room on that disk', cause: error })
  }
  await truncate(half, size)
  await rename(half, copy)
}

/** Whether a kept copy is older than the image that it was made of. */
export function isStale(copy: string, image: string): boolean {
  return existsSync(copy) && statSync(copy).birthtimeMs < statSync(image).mtimeMs
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

function readAt(file: number, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = readSync(file, out, filled, length - filled, offset + filled)
    if (count === 0) throw new Error(`disk ends before byte ${offset + length}`)
    filled += count
  }
  return out
}
