import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSegment, fileSegment, shifted } from '../../../builder/outputs/segment.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { tempDirectory } from '../../helpers/temp.ts'

describe('a segment', () => {
  it('of bytes is filled up with zeros to whole blocks, and its digest counts them', () => {
    const segment = bytesSegment(BLOCK, Buffer.from('text'))
    const whole = Buffer.concat([Buffer.from('text'), Buffer.alloc(BLOCK - 4)])
    expect(segment).toMatchObject({ offset: BLOCK, size: BLOCK, digest: digestOf(whole) })
  })

  it('of a file that is not whole blocks has the digest of the filled-up bytes, not that of the file', async () => {
    const file = join(await tempDirectory(), 'file')
    writeFileSync(file, 'text')
    const segment = fileSegment(0, { file, size: 4, digest: digestOf('text') })
    expect(segment.digest).toBe(bytesSegment(0, Buffer.from('text')).digest)
    expect(segment.digest).not.toBe(digestOf('text'))
    expect(segment.source).toEqual({ file, length: 4 })
  })

  it('of a file that is not whole blocks is none where the store does not hold what its digest says', async () => {
    const file = join(await tempDirectory(), 'file')
    writeFileSync(file, 'damage')
    expect(() => fileSegment(0, { file, size: 6, digest: digestOf('intent') })).toThrow(
      expect.objectContaining({
        message: `'${file}' is damaged in the store`,
        hint: expect.stringContaining('npm run store:verify'),
      }),
    )
  })

  it('of a file that is not whole blocks is made without reading it where its digest is known', () => {
    const [content, filled] = [digestOf('text'), digestOf('text, filled up')]
    const segment = fileSegment(0, { file: '/not/there', size: 4, digest: content }, filled)
    expect(segment).toMatchObject({ size: BLOCK, digest: filled, content })
  })

  it('of a file of whole blocks is made without reading it', () => {
    const digest = digestOf('what the store says')
    expect(fileSegment(0, { file: '/not/there', size: 2 * BLOCK, digest })).toMatchObject({ size: 2 * BLOCK, digest })
  })

  it('keeps everything but its place when it is shifted', () => {
    const segment = bytesSegment(BLOCK, Buffer.from('text'))
    expect(shifted([segment], 10 * BLOCK)).toEqual([{ ...segment, offset: 11 * BLOCK }])
  })
})
