import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { blockSourceOf } from '../../images/disk/block-source.ts'
import { MIB } from '../../images/layout.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { writeDisk, writePart } from './disk-file.ts'
import { diskState, slice } from './disk-state.ts'
import { IntervalMap, ZEROS } from './interval-map.ts'

const read = (at: number, out: Uint8Array) => out.set(out.map((_, index) => (at + index) % 251))
const log = { entries: [], read }

/** A disk of random bytes with a write and a discard. */
function state(base: Buffer) {
  const map = new IntervalMap()
  map.set(MIB - 512, 2 * MIB + 512, 0)
  map.set(3 * MIB, 3 * MIB + 4096, ZEROS)
  return diskState(blockSourceOf(base), log, [map])
}

it('writeDisk writes a file equal to the disk', async () => {
  const directory = await tempDirectory()
  const [from, to] = [join(directory, 'base.img'), join(directory, 'disk.img')]
  const base = Buffer.alloc(4 * MIB, 'some disk ')
  writeFileSync(from, base)
  const disk = state(base)
  writeDisk(disk, from, to)
  expect(readFileSync(to).equals(disk.read(0, disk.size))).toBe(true)
})

it('writePart writes a file equal to the used part of a disk', async () => {
  const path = join(await tempDirectory(), 'part.img')
  const base = Buffer.alloc(4 * MIB)
  base.fill('x', 0, MIB)
  const part = slice(state(base), 4096, 4 * MIB - 4096)
  writePart(part, path, MIB)
  expect(readFileSync(path).equals(part.read(0, part.size))).toBe(true)
})
