import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

/** Overwrites bytes of a disk with random ones. Its machine must be off. */
export function damage(disk: string, offset: number, length: number): void {
  const file = openSync(disk, 'r+')
  try {
    writeSync(file, randomBytes(length), 0, length, offset)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
