import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSegment, fileSegment, type Segment } from '../../../builder/outputs/segment.ts'
import { fileState } from '../../../builder/outputs/state.ts'
import { digestSegments, writeSegments } from '../../../builder/outputs/write.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const block = (at: number, letter: string) => bytesSegment(at * BLOCK, Buffer.alloc(BLOCK, letter))
const SIZE = 8 * BLOCK

/** The expected bytes of a file with these segments, computed without the code under test. */
function expected(segments: readonly Segment[]): Buffer {
  const bytes = Buffer.alloc(SIZE)
  for (const { offset, source } of segments) if ('bytes' in source) bytes.set(source.bytes, offset)
  return bytes
}

async function patched(before: readonly Segment[], after: readonly Segment[]): Promise<Buffer> {
  const path = join(await tempDirectory(), 'image')
  writeSegments(path, SIZE, before, undefined)
  writeSegments(path, SIZE, after, fileState(path, before, undefined))
  return readFileSync(path)
}

describe('writeSegments', () => {
  it('writes segments at their offsets, and zeros between them', async () => {
    const path = join(await tempDirectory(), 'image')
    const segments = [block(1, 'a'), block(6, 'b')]
    writeSegments(path, SIZE, segments, undefined)
    expect(readFileSync(path).equals(expected(segments))).toBe(true)
  })

  it.each<[string, Segment[], Segment[]]>([
    ['with one changed segment', [block(0, 'a'), block(3, 'b')], [block(0, 'a'), block(3, 'c')]],
    ['without one segment', [block(0, 'a'), block(3, 'b')], [block(3, 'b')]],
    ['with one moved segment', [block(2, 'a')], [block(5, 'a')]],
    [
      'with one shorter segment',
      [bytesSegment(0, Buffer.alloc(4 * BLOCK, 'a'))],
      [bytesSegment(BLOCK, Buffer.alloc(2 * BLOCK, 'a'))],
    ],
    ['with only other segments', [block(0, 'a'), block(7, 'b')], [block(4, 'c')]],
  ])('patches a file %s to the wanted bytes', async (_, before, after) => {
    expect((await patched(before, after)).equals(expected(after))).toBe(true)
  })

  it('refuses a corrupt object of the store', async () => {
    const directory = await tempDirectory()
    const file = join(directory, 'object')
    writeFileSync(file, Buffer.alloc(2 * BLOCK, 'a'))
    const segment = fileSegment(0, { file, size: 2 * BLOCK, digest: digestOf(Buffer.alloc(2 * BLOCK, 'a')) })
    writeFileSync(file, Buffer.alloc(2 * BLOCK, 'b'))
    expect(() => writeSegments(join(directory, 'image'), SIZE, [segment], undefined)).toThrowError(
      expect.objectContaining({
        message: `'${file}' is corrupt in the store`,
        hint: expect.stringContaining('npm run store:verify'),
      }),
    )
  })

  it('does not write a segment that the file already contains', async () => {
    const path = join(await tempDirectory(), 'image')
    const before = [block(0, 'a'), block(3, 'b')]
    writeSegments(path, SIZE, before, undefined)
    const state = fileState(path, before, undefined)
    // These bytes differ from the state, so they stay if the run does not write the segment again.
    writeFileSync(path, expected([block(0, 'x'), block(3, 'x')]))
    writeSegments(path, SIZE, [block(0, 'a'), block(3, 'c')], state)
    expect(readFileSync(path).equals(expected([block(0, 'x'), block(3, 'c')]))).toBe(true)
  })

  it('writes the complete file if there is no state', async () => {
    const path = join(await tempDirectory(), 'image')
    writeFileSync(path, Buffer.alloc(2 * SIZE, 'x'))
    writeSegments(path, SIZE, [block(1, 'a')], undefined)
    expect(readFileSync(path).equals(expected([block(1, 'a')]))).toBe(true)
  })

  it('cuts the padding of the last text', async () => {
    const path = join(await tempDirectory(), 'text')
    writeSegments(path, 4, [bytesSegment(0, Buffer.from('text'))], undefined)
    expect(readFileSync(path, 'utf8')).toBe('text')
  })

  it('pads a file of the store with zeros, also over old content', async () => {
    const directory = await tempDirectory()
    const file = join(directory, 'object')
    writeFileSync(file, 'text')
    const path = join(directory, 'image')
    const before = [block(0, 'x')]
    const after = [fileSegment(0, { file, size: 4, digest: digestOf('text') })]
    writeSegments(path, SIZE, before, undefined)
    writeSegments(path, SIZE, after, fileState(path, before, undefined))
    expect(readFileSync(path).subarray(0, BLOCK).toString('latin1')).toBe('text'.padEnd(BLOCK, '\0'))
  })
})

describe('digestSegments', () => {
  it('the digest of a file includes its holes, and does not depend on the order of segments', async () => {
    const segments = [block(6, 'b'), block(1, 'a')]
    expect(digestSegments(SIZE, segments)).toBe(digestOf(expected(segments)))
  })

  it('the digest leaves out the padding of a file that ends within its last block', async () => {
    const path = join(await tempDirectory(), 'file')
    for (const size of [BLOCK + 3, 3 * BLOCK - 1]) {
      const segments = [block(0, 'a'), bytesSegment(BLOCK, Buffer.from('end'))]
      writeSegments(path, size, segments, undefined)
      expect(digestSegments(size, segments)).toBe(digestOf(readFileSync(path)))
    }
  })
})
