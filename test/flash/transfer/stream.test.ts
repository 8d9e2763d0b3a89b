import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bootTree } from '../../../flash/targets/pi/boot-tree.ts'
import { zstdCompress } from '../../../flash/transfer/compress.ts'
import { records } from '../../../flash/transfer/stream.ts'
import { programOf } from '../../../flash/vm/program.ts'
import { BLOCK } from '../../../images/layout.ts'
import { hashTree, leavesOf } from '../../../images/slot/verity.ts'
import { controlPrograms, zstdUnpack } from '../../helpers/control-programs.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { updateImage } from '../../helpers/update-image.ts'

async function collected(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function fileOf(bytes: Uint8Array) {
  const path = join(await tempDirectory(), 'file')
  await writeFile(path, bytes)
  return { path, file: await open(path) }
}

describe('a stream of records', () => {
  const { slot } = updateImage({ name: 'x', dataBlocks: 5000 })

  it('a stream has a header for each range, its blocks, and an end record', async () => {
    const { file } = await fileOf(slot)
    let read = 0
    const bytes = await collected(records(file, [{ first: 2, count: 1 }], (count) => (read += count)))
    expect(bytes.subarray(0, 12).toString('hex')).toBe('484742310000000200000001')
    expect(bytes.subarray(12, 12 + BLOCK).equals(slot.subarray(2 * BLOCK, 3 * BLOCK))).toBe(true)
    expect(bytes.subarray(12 + BLOCK).toString('hex')).toBe('48474231ffffffff00000000')
    expect(read).toBe(BLOCK)
    await file.close()
  })

  it('a stream splits ranges that exceed the largest record', async () => {
    const { file } = await fileOf(slot)
    const bytes = await collected(records(file, [{ first: 0, count: 5000 }]))
    expect(bytes.readUInt32BE(8)).toBe(4096)
    const second = 12 + 4096 * BLOCK
    expect([bytes.readUInt32BE(second + 4), bytes.readUInt32BE(second + 8)]).toEqual([4096, 904])
    await file.close()
  })

  it('a stream fails if the file is too short', async () => {
    const { file } = await fileOf(slot.subarray(0, BLOCK))
    await expect(collected(records(file, [{ first: 0, count: 2 }]))).rejects.toThrow(
      'a file ends at byte 4096, wanted 8192',
    )
    await file.close()
  })

  it('zstd returns a stream unchanged, within the memory of a host', async () => {
    const programs = await controlPrograms()
    const compress = zstdCompress(programOf(programs, 'zstd'))
    const { file } = await fileOf(slot)
    const ranges = [{ first: 0, count: 5000 }]
    const packed = await collected(compress(records(file, ranges)))
    expect(packed.length).toBeLessThan(slot.length / 2)
    const unpacked = await collected(zstdUnpack(programs)(piecesOf(packed)))
    expect(unpacked.equals(await collected(records(file, ranges)))).toBe(true)
    await file.close()
  })

  it("compression rethrows the error of a stream's source", async () => {
    const compress = zstdCompress(programOf(await controlPrograms(), 'zstd'))
    const broken = async function* () {
      yield Buffer.from('half')
      throw new Error('the file is gone')
    }
    await expect(collected(compress(broken()))).rejects.toThrow('the file is gone')
  })
})

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}

describe('the hash tree of a boot file system', () => {
  it('the hash tree of a boot file system covers all blocks, also the empty ones', async () => {
    const { boot } = updateImage({ name: 'x', bootBlocks: 300 })
    const { path, file } = await fileOf(boot)
    await truncate(path, 1000 * BLOCK)
    const expected = hashTree(leavesOf(Buffer.concat([boot, Buffer.alloc(700 * BLOCK)])))
    const tree = await bootTree(file, 1000 * BLOCK)
    expect({ blocks: tree.blocks, root: tree.root }).toEqual({ blocks: 1000, root: expected.root })
    expect(Buffer.from(tree.bytes).equals(Buffer.from(expected.bytes))).toBe(true)
    await file.close()
  })
})
