import { hash } from 'node:crypto'
import { closeSync, copyFileSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { EPOCH, guid } from '../../reproducible.ts'
import { exec } from './exec.ts'
import { inputJson } from './inputs.ts'

const BLOCK = 4096
/** Writes the layer to memory first, because mkfs.erofs 1.8.6 hangs forever if the disk is full. */
const IMAGE = '/build/layer.erofs'
/** Without a rule in this file, mkfs.erofs leaves out the SELinux labels that a builder with SELinux gives every file. */
const NO_LABELS = '/build/file-contexts'

/**
 * Packs a directory into `/out/layer.erofs`, with the options in `/in/erofs.json` and a UUID derived from the layer's
 * name. Writes the SHA-256 of each 4096-byte block to `/out/layer.leaves`, one after the other.
 */
export async function makeLayer(name: string, directory: string): Promise<void> {
  writeFileSync(NO_LABELS, '')
  await exec('mkfs.erofs', [
    '--quiet',
    ...inputJson<string[]>('erofs.json'),
    `-T${EPOCH}`,
    '--all-time',
    `--file-contexts=${NO_LABELS}`,
    `-U${guid(`layer ${name}`)}`,
    IMAGE,
    directory,
  ])
  writeLeaves(IMAGE, '/out/layer.leaves')
  copyFileSync(IMAGE, '/out/layer.erofs')
  rmSync(IMAGE)
}

function writeLeaves(image: string, leaves: string): void {
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
