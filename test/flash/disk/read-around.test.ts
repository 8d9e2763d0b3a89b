import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readAround } from '../../../flash/disk/read-around.ts'

/** The size is not a multiple of the block size, and the file needs more than one read. */
const BYTES = Buffer.from(Array.from({ length: 5_000_000 + 512 }, (_, index) => (index * 7919) >> 5))

function fileIn(directory: string): string {
  const made = mkdtempSync(join(directory, 'hangar-test-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  writeFileSync(join(made, 'disk'), BYTES)
  return join(made, 'disk')
}

async function read(path: string, offset: number, size: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readAround(path, 'file', offset, size)) pieces.push(piece)
  return Buffer.concat(pieces)
}

// Some file systems, such as tmpfs in older kernels, have no direct reads.
const PLACES = [tmpdir(), '/dev/shm'].filter((each) => existsSync(each))

describe.each(PLACES)('readAround below %s', (place) => {
  it.each([
    [0, 512],
    [1, 1],
    [4095, 2],
    [4096, 4096],
    [1000, 4_500_000],
    [BYTES.length - 33 * 512, 33 * 512],
  ])('returns exactly the requested range: %i, %i', async (offset, size) => {
    expect((await read(fileIn(place), offset, size)).equals(BYTES.subarray(offset, offset + size))).toBe(true)
  })

  it('stops at the end of the file', async () => {
    expect((await read(fileIn(place), BYTES.length - 10, 5000)).length).toBe(10)
  })
})

describe('readAround', () => {
  it('names a file that it cannot read', async () => {
    await expect(read('/not/there', 0, 512)).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot read '\/not\/there': dd: .*No such file/),
    })
  })

  it('ends dd without an error if the consumer stops early', async () => {
    for await (const piece of readAround(fileIn(tmpdir()), 'file', 0, BYTES.length)) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
  })
})
