import { hash } from 'node:crypto'
import { closeSync, copyFileSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { EPOCH } from '../../epoch.ts'
import { guid } from '../../guid.ts'
import { exec } from './exec.ts'

const BLOCK = 4096
/** Memory: mkfs.erofs 1.8.6 waits for itself forever where the disk that it writes to is full. */
const IMAGE = '/build/layer.erofs'

/**
 * Makes `/out/layer.erofs` of a directory, with a UUID that comes from the layer's name, and `/out/layer.leaves`: the
 * SHA-256 of each of its 4096-byte blocks, one after the other.
 */
export async function makeLayer(name: string, directory: string, options: readonly string[] = []): Promise<void> {
  await exec('mkfs.erofs', [
    '--quiet',
    ...options,
    `-T${EPOCH}`,
    '--all-time',
    `-U${guid(`layer ${name}`)}`,
    IMAGE,
    directory,
  ])
  writeLeaves(IMAGE, '/out/layer.leaves')
  copyFileSync(IMAGE, '/out/layer.erofs')
  rmSync(IMAGE)
}

export function writeLeaves(image: string, leaves: string): void {
  const file = openSync(image, 'r')
  const piece = Buffer.alloc(1024 * BLOCK)
  const found: Buffer[] = []
  for (let size = readSync(file, piece); size > 0; size = readSync(file, piece)) {
    if (size % BLOCK !== 0) throw new Error(`${image} is not a whole number of ${BLOCK}-byte blocks`)
    for (let at = 0; at < size; at += BLOCK) found.push(hash('sha256', piece.subarray(at, at + BLOCK), 'buffer'))
  }
  closeSync(file)
  writeFileSync(leaves, Buffer.concat(found))
}
