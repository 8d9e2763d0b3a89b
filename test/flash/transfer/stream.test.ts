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

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
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

  it('has a header for each range, its blocks, and an end', async () => {
    const { file } = await fileOf(slot)
    let read = 0
    const bytes = await whole(records(file, [{ first: 2, count: 1 }], (count) => (read += count)))
    expect(bytes.subarray(0, 12).toString('hex')).toBe('484742310000000200000001')
    expect(bytes.subarray(12, 12 + BLOCK).equals(slot.subarray(2 * BLOCK, 3 * BLOCK))).toBe(true)
    expect(bytes.subarray(12 + BLOCK).toString('hex')).toBe('48474231ffffffff00000000')
    expect(read).toBe(BLOCK)
    await file.close()
  })

  it('cuts long ranges where a record may be no longer', async () => {
    const { file } = await fileOf(slot)
    const bytes = await whole(records(file, [{ first: 0, count: 5000 }]))
    expect(bytes.readUInt32BE(8)).toBe(4096)
    const second = 12 + 4096 * BLOCK
    expect([bytes.readUInt32BE(second + 4), bytes.readUInt32BE(second + 8)]).toEqual([4096, 904])
    await file.close()
  })

  it('that the file is too short for is an error, not a short stream', async () => {
    const { file } = await fileOf(slot.subarray(0, BLOCK))
    await expect(whole(records(file, [{ first: 0, count: 2 }]))).rejects.toThrow(
      'a file ends at byte 4096, wanted 8192',
    )
    await file.close()
  })

  it('comes through zstd as it was, in the memory that a host has for it', async () => {
    const programs = await controlPrograms()
    const compress = zstdCompress(programOf(programs, 'zstd'))
    const { file } = await fileOf(slot)
    const ranges = [{ first: 0, count: 5000 }]
    const packed = await whole(compress(records(file, ranges)))
    expect(packed.length).toBeLessThan(slot.length / 2)
    const unpacked = await whole(zstdUnpack(programs)(piecesOf(packed)))
    expect(unpacked.equals(await whole(records(file, ranges)))).toBe(true)
    await file.close()
  })

  it('that breaks breaks the compressed one too, with its own error', async () => {
    const compress = zstdCompress(programOf(await controlPrograms(), 'zstd'))
    const broken = async function* () {
      yield Buffer.from('half')
      throw new Error('the file is gone')
    }
    await expect(whole(compress(broken()))).rejects.toThrow('the file is gone')
  })
})

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}

describe('the hash tree of a boot file system', () => {
  it('is that over all its blocks, empty ones too', async () => {
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
