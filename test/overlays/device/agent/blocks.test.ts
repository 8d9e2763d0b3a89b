import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BLOCK, MIB } from '../../../../images/layout.ts'
import { hashTree, LEAF, leavesOf } from '../../../../images/slot/verity.ts'
import { onPath } from '../../../helpers/fake-device.ts'
import { compileC, compileObjects, partsOfBlocks, runWith, SANITIZED } from '../../../helpers/native-program.ts'

const CC = onPath('cc')
const directory = mkdtempSync(join(tmpdir(), 'hangar-blocks-'))
const at = (name: string) => join(directory, name)
const [checked, plain, fuzz, wide, unflushed] = ['checked', 'plain', 'fuzz', 'wide', 'unflushed'].map(at) as [
  string,
  string,
  string,
  string,
  string,
]

if (CC === undefined) console.warn("skipped: the program that moves blocks, which wants a C compiler, 'cc', in PATH")

beforeAll(async () => {
  if (CC === undefined) return
  const objects = await compileObjects(CC, directory, partsOfBlocks(), SANITIZED)
  const parts = ['records.o', 'writer.o', 'device.o', 'text.o'].map(at)
  const driver = [join(import.meta.dirname, 'records-fuzz.c'), ...parts]
  compileC(CC, checked, objects, SANITIZED)
  compileC(CC, plain, partsOfBlocks(), [])
  const failing = [...objects, join(import.meta.dirname, 'flush-fails.c')]
  compileC(CC, unflushed, failing, [...SANITIZED, '-Wl,--wrap=fdatasync'])
  compileC(CC, fuzz, driver, SANITIZED)
  compileC(CC, wide, driver, [...SANITIZED, '-DTOO_MANY=1'])
}, 300_000)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Data in which every block is different. */
function data(blocks: number): Buffer {
  const bytes = Buffer.alloc(blocks * BLOCK)
  for (let block = 0; block < blocks; block++) bytes.fill(`block ${block}\n`, block * BLOCK, (block + 1) * BLOCK)
  return bytes
}

/** A device with data and their hash tree after them. `damage` changes the bytes first. */
function device(blocks: number, damage: (bytes: Buffer) => void = () => undefined) {
  const bytes = data(blocks)
  const tree = hashTree(leavesOf(bytes))
  const whole = Buffer.concat([bytes, tree.bytes])
  damage(whole)
  writeFileSync(at('device'), whole)
  return { path: at('device'), root: tree.root as string, tree: tree.bytes, blocks: String(blocks) }
}

const flip = (bytes: Buffer, offset: number) => bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset)
const missing = (...args: string[]) => runWith(checked, ['missing', ...args])

describe.skipIf(CC === undefined)('blocks missing', () => {
  it.each([1, 2, 128, 129, 300, 1025, 16385])('prints only `end` if all %i blocks are present', async (blocks) => {
    const { path, root } = device(blocks)
    expect(await missing(path, String(blocks), root)).toMatchObject({ code: 0, stdout: 'end\n', stderr: '' })
  })

  it('prints the ranges of different blocks in order, adjacent ones as one', async () => {
    const damaged = [0, 1, 2, 127, 128, 511, 512, 1024]
    const { path, root, blocks } = device(1025, (bytes) => {
      for (const block of damaged) flip(bytes, block * BLOCK + 4095)
    })
    expect((await missing(path, blocks, root)).stdout).toBe('0 3\n127 2\n511 2\n1024 1\nend\n')
  })

  it('prints every block of an empty device as one range, with the hash tree in a separate file', async () => {
    const { root, tree } = device(16385)
    writeFileSync(at('tree'), tree)
    writeFileSync(at('empty'), '')
    truncateSync(at('empty'), 16385 * BLOCK)
    const { stdout } = await missing(at('empty'), '16385', root, '--tree', at('tree'))
    expect(stdout).toBe('0 16385\nend\n')
  })

  it('reports only unreadable blocks as missing', async () => {
    const { path, root, tree } = device(700)
    writeFileSync(at('tree'), tree)
    truncateSync(path, 600 * BLOCK - 1)
    const { code, stdout } = await missing(path, '700', root, '--tree', at('tree'))
    expect({ code, stdout }).toEqual({ code: 0, stdout: '599 101\nend\n' })
  })

  it.each([
    ['at the top', 0],
    ['of the middle level', 1],
    ['of the last leaves', 130],
    ['in the padding of the last block', 131 - 1 / BLOCK],
  ])('refuses a hash tree with a flipped bit %s', async (_where, block) => {
    const { path, root } = device(16385, (bytes) => flip(bytes, Math.round((16385 + block) * BLOCK)))
    const { code, stdout, stderr } = await missing(path, '16385', root)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(/^blocks: block \d+ of the hash tree's file does not match the root hash\n$/)
  })

  it('refuses a hash tree with another root hash, and an incomplete hash tree', async () => {
    const { path, root, blocks } = device(200)
    expect(
      (
        await missing(
          path,
          blocks,
          root.replace(/^./, (first) => (first === '0' ? '1' : '0')),
        )
      ).code,
    ).toBe(3)
    truncateSync(path, 201 * BLOCK)
    const { code, stderr } = await missing(path, blocks, root)
    expect(code).toBe(3)
    expect(stderr).toContain('cannot read the hash tree')
  })

  it.each([
    ['no arguments', []],
    ['too few arguments', ['missing', 'x', '1']],
    ['no blocks', ['missing', 'x', '0', 'a'.repeat(64)]],
    ['a count that is not a number', ['missing', 'x', '1x', 'a'.repeat(64)]],
    ['a count that is too large', ['missing', 'x', '99999999999999999999999', 'a'.repeat(64)]],
    ['a short root', ['missing', 'x', '1', 'a'.repeat(63)]],
    ['a root of other letters', ['missing', 'x', '1', 'G'.repeat(64)]],
    ['another flag', ['missing', 'x', '1', 'a'.repeat(64), '--other', 'y']],
    ['a negative first block', ['write', 'x', '-1', '1']],
    ['no count', ['write', 'x', '1']],
  ])('prints its usage for %s', async (_what, args) => {
    const { code, stdout, stderr } = await runWith(checked, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('usage: blocks missing')
  })

  it('names a device that it cannot open', async () => {
    const { code, stderr } = await missing(at('nothing'), '1', 'a'.repeat(64))
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `blocks: cannot open '${at('nothing')}': No such file or directory\n`,
    })
  })

  it('reads a gigabyte with little memory', async () => {
    const blocks = 2 ** 18
    const leaf = leavesOf(Buffer.alloc(BLOCK))
    const tree = hashTree(Buffer.alloc(blocks * LEAF, leaf))
    writeFileSync(at('tree'), tree.bytes)
    const file = openSync(at('sparse'), 'w')
    ftruncateSync(file, blocks * BLOCK)
    closeSync(file)
    const done = await runWith(plain, ['missing', at('sparse'), String(blocks), tree.root, '--tree', at('tree')])
    expect(done).toMatchObject({ code: 0, stdout: 'end\n' })
    expect(done.peak).toBeGreaterThan(0)
    expect(done.peak).toBeLessThan(8 * MIB)
  })
})

const END = header(0xffffffff, 0)

function header(first: number, count: number, magic = 'HGB1'): Buffer {
  const bytes = Buffer.from(`${magic}--------`)
  bytes.writeUInt32BE(first, 4)
  bytes.writeUInt32BE(count, 8)
  return bytes
}

const record = (first: number, blocks: Buffer) => Buffer.concat([header(first, blocks.length / BLOCK), blocks])

/** A device of 64 blocks. Blocks 8 to 47 may be written. */
async function write(...stream: Uint8Array[]) {
  writeFileSync(at('target'), Buffer.alloc(64 * BLOCK, 0xa5))
  const done = await runWith(checked, ['write', at('target'), '8', '40'], stream)
  const bytes = readFileSync(at('target'))
  return { ...done, bytes, isUntouched: bytes.equals(Buffer.alloc(64 * BLOCK, 0xa5)) }
}

describe.skipIf(CC === undefined)('blocks write', () => {
  it('writes the blocks of each record and prints their count', async () => {
    const blocks = data(20)
    const parts = [blocks.subarray(0, 3 * BLOCK), blocks.subarray(3 * BLOCK, 4 * BLOCK), blocks.subarray(4 * BLOCK)]
    const [a, b, c] = parts as [Buffer, Buffer, Buffer]
    const { code, stdout, stderr, bytes } = await write(record(8, a), record(11, b), record(32, c), END)
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '20\n', stderr: '' })
    const untouched = (count: number) => Buffer.alloc(count * BLOCK, 0xa5)
    expect(bytes.equals(Buffer.concat([untouched(8), a, b, untouched(20), c, untouched(16)]))).toBe(true)
  })

  it('accepts a stream without blocks', async () => {
    expect(await write(END)).toMatchObject({ code: 0, stdout: '0\n', isUntouched: true })
  })

  it('accepts a stream that arrives byte by byte', async () => {
    const stream = Buffer.concat([record(9, data(1)), END])
    const { code, bytes } = await write(...Array.from(stream, (byte) => Uint8Array.of(byte)))
    expect(code).toBe(0)
    expect(bytes.subarray(9 * BLOCK, 10 * BLOCK).equals(data(1))).toBe(true)
  })

  it.each([
    ['nothing at all', [], 'it ends without its last record'],
    ['no last record', [record(8, data(1))], 'it ends without its last record'],
    ['half a header', [record(8, data(1)), END.subarray(0, 11)], 'it ends without its last record'],
    ['blocks that end early', [record(8, data(2)).subarray(0, -1)], 'it ends within the blocks of a record'],
    ['more after the end', [END, Buffer.from('x')], 'it continues after its last record'],
    ['a second stream', [END, END], 'it continues after its last record'],
    ['another format', [header(8, 1, 'HGB2'), data(1), END], 'a record does not begin with HGB1'],
    ['junk', [Buffer.alloc(5000, 'junk')], 'a record does not begin with HGB1'],
    ['a record of no blocks', [header(8, 0), END], 'refused 0 blocks from 8'],
    ['a record of too many', [header(8, 4097), END], 'refused 4097 blocks from 8: wanted 1 to 4096'],
    ['a block before the first', [record(7, data(1)), END], 'refused 1 blocks from 7'],
    [
      'a block after the last',
      [record(47, data(2)), END],
      'refused 2 blocks from 47: wanted 1 to 4096 of the blocks from 8 up to 48',
    ],
    ['numbers that wrap around', [header(0xffffffff, 9), END], 'refused 9 blocks from 4294967295'],
  ])('refuses a stream with %s', async (_what, stream, message) => {
    const { code, stdout, stderr, bytes } = await write(...stream)
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toContain(message)
    for (const range of [bytes.subarray(0, 8 * BLOCK), bytes.subarray(48 * BLOCK)])
      expect(range.equals(Buffer.alloc(range.length, 0xa5))).toBe(true)
  })

  it('accepts records of 4096 blocks with little memory', async () => {
    const [records, blocks] = [16, 4096]
    const piece = data(blocks)
    writeFileSync(at('large'), '')
    const stream = Array.from({ length: records }, (_, index) => record(index * blocks, piece))
    const done = await runWith(plain, ['write', at('large'), '0', String(records * blocks)], [...stream, END])
    expect(done).toMatchObject({ code: 0, stdout: `${records * blocks}\n` })
    expect(done.peak).toBeLessThan(8 * MIB)
    const written = readFileSync(at('large'))
    for (let index = 0; index < records; index++)
      expect(written.subarray(index * piece.length, (index + 1) * piece.length).equals(piece)).toBe(true)
  })

  it('reports a failed write and its block', async () => {
    const { code, stderr } = await runWith(checked, ['write', '/dev/full', '8', '40'], [record(8, data(1)), END])
    expect({ code, stderr }).toEqual({ code: 5, stderr: 'blocks: cannot write at block 8: No space left on device\n' })
  })

  it('fails if an earlier flush failed, although the last one succeeds', async () => {
    // 3584 blocks are 7 pieces, fewer than the 8 pieces after which `blocks` flushes during the writes.
    const piece = record(0, data(3584))
    const written = (times: number) =>
      runWith(unflushed, ['write', at('flushed'), '0', '3584'], [...Array<Buffer>(times).fill(piece), END])
    writeFileSync(at('flushed'), '')
    expect(await written(1)).toMatchObject({ code: 0, stdout: '3584\n' })
    const { code, stdout, stderr } = await written(8)
    expect({ code, stdout, stderr }).toEqual({
      code: 5,
      stdout: '',
      stderr: 'blocks: cannot flush the device: Input/output error\n',
    })
  })

  it('writes blocks that `blocks missing` then finds', async () => {
    const { path, root, blocks } = device(700, (bytes) => bytes.fill(0, 100 * BLOCK, 650 * BLOCK))
    expect((await missing(path, blocks, root)).stdout).toBe('100 550\nend\n')
    const stream = [record(100, data(700).subarray(100 * BLOCK, 650 * BLOCK)), END]
    expect((await runWith(checked, ['write', path, '0', blocks], stream)).stdout).toBe('550\n')
    expect((await missing(path, blocks, root)).stdout).toBe('end\n')
  })
})

describe.skipIf(CC === undefined)('blocks write with five thousand streams, most of them damaged,', () => {
  it('follows the protocol and writes nothing outside of the allowed range for damaged streams', async () => {
    const { code, stdout, stderr } = await runWith(fuzz, ['1', '5000'])
    expect(code, stderr.slice(-2000)).toBe(0)
    const [, whole, refused] = /^(\d+) whole, (\d+) refused\n$/.exec(stdout) ?? []
    expect(Number(whole)).toBeGreaterThan(500)
    expect(Number(refused)).toBeGreaterThan(1000)
  })

  it('the fuzzer finds a program that writes one block too many (negative control)', async () => {
    const { code, stderr } = await runWith(wide, ['1', '5000'])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/seed \d+: another verdict/)
  })
})
