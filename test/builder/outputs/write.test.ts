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

/** What a file of these segments is, made without the code under test. */
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

describe('writing segments', () => {
  it('writes them where they belong and zeros between them', async () => {
    const path = join(await tempDirectory(), 'image')
    const segments = [block(1, 'a'), block(6, 'b')]
    writeSegments(path, SIZE, segments, undefined)
    expect(readFileSync(path).equals(expected(segments))).toBe(true)
  })

  it.each<[string, Segment[], Segment[]]>([
    ['in which one changed', [block(0, 'a'), block(3, 'b')], [block(0, 'a'), block(3, 'c')]],
    ['in which one is gone', [block(0, 'a'), block(3, 'b')], [block(3, 'b')]],
    ['in which one moved', [block(2, 'a')], [block(5, 'a')]],
    [
      'in which one became shorter',
      [bytesSegment(0, Buffer.alloc(4 * BLOCK, 'a'))],
      [bytesSegment(BLOCK, Buffer.alloc(2 * BLOCK, 'a'))],
    ],
    ['that had others only', [block(0, 'a'), block(7, 'b')], [block(4, 'c')]],
  ])('makes of a file %s what a fresh one would be', async (_, before, after) => {
    expect((await patched(before, after)).equals(expected(after))).toBe(true)
  })

  it('refuses a file of the store that is not what its digest says', async () => {
    const directory = await tempDirectory()
    const file = join(directory, 'object')
    writeFileSync(file, Buffer.alloc(2 * BLOCK, 'a'))
    const segment = fileSegment(0, { file, size: 2 * BLOCK, digest: digestOf(Buffer.alloc(2 * BLOCK, 'a')) })
    writeFileSync(file, Buffer.alloc(2 * BLOCK, 'b'))
    expect(() => writeSegments(join(directory, 'image'), SIZE, [segment], undefined)).toThrowError(
      expect.objectContaining({
        message: `'${file}' is damaged in the store`,
        hint: expect.stringContaining('npm run store:verify'),
      }),
    )
  })

  it('does not write again what is there', async () => {
    const path = join(await tempDirectory(), 'image')
    const before = [block(0, 'a'), block(3, 'b')]
    writeSegments(path, SIZE, before, undefined)
    const state = fileState(path, before, undefined)
    // Not what the state says: whether it was written over shows.
    writeFileSync(path, expected([block(0, 'x'), block(3, 'x')]))
    writeSegments(path, SIZE, [block(0, 'a'), block(3, 'c')], state)
    expect(readFileSync(path).equals(expected([block(0, 'x'), block(3, 'c')]))).toBe(true)
  })

  it('writes a file of unknown state whole, whatever it held', async () => {
    const path = join(await tempDirectory(), 'image')
    writeFileSync(path, Buffer.alloc(2 * SIZE, 'x'))
    writeSegments(path, SIZE, [block(1, 'a')], undefined)
    expect(readFileSync(path).equals(expected([block(1, 'a')]))).toBe(true)
  })

  it('ends a text where it ends, and not at the end of its block', async () => {
    const path = join(await tempDirectory(), 'text')
    writeSegments(path, 4, [bytesSegment(0, Buffer.from('text'))], undefined)
    expect(readFileSync(path, 'utf8')).toBe('text')
  })

  it('fills a file of the store up with zeros, also over what was there', async () => {
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

describe('the sum of segments', () => {
  it('is that of the file, holes included, in whatever order they are given', async () => {
    const segments = [block(6, 'b'), block(1, 'a')]
    expect(digestSegments(SIZE, segments)).toBe(digestOf(expected(segments)))
  })
})
