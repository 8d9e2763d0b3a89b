import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bytesSegment, fileSegment, shifted } from '../../../builder/outputs/segment.ts'
import { digestOf } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { tempDirectory } from '../../helpers/temp.ts'

describe('a segment', () => {
  it('pads a segment of bytes to whole blocks, and its digest covers the padding', () => {
    const segment = bytesSegment(BLOCK, Buffer.from('text'))
    const whole = Buffer.concat([Buffer.from('text'), Buffer.alloc(BLOCK - 4)])
    expect(segment).toMatchObject({ offset: BLOCK, size: BLOCK, digest: digestOf(whole) })
  })

  it('a segment of a file that does not end at a block boundary has the digest of the padded bytes', async () => {
    const file = join(await tempDirectory(), 'file')
    writeFileSync(file, 'text')
    const segment = fileSegment(0, { file, size: 4, digest: digestOf('text') })
    expect(segment.digest).toBe(bytesSegment(0, Buffer.from('text')).digest)
    expect(segment.digest).not.toBe(digestOf('text'))
    expect(segment.source).toEqual({ file, length: 4 })
  })

  it('refuses a segment of a corrupt file', async () => {
    const file = join(await tempDirectory(), 'file')
    writeFileSync(file, 'damage')
    expect(() => fileSegment(0, { file, size: 6, digest: digestOf('intent') })).toThrow(
      expect.objectContaining({
        message: `'${file}' is corrupt in the store`,
        hint: expect.stringContaining('npm run store:verify'),
      }),
    )
  })

  it('does not read the file of a segment whose digest is known', () => {
    const [content, filled] = [digestOf('text'), digestOf('text, filled up')]
    const segment = fileSegment(0, { file: '/not/there', size: 4, digest: content }, filled)
    expect(segment).toMatchObject({ size: BLOCK, digest: filled, content })
  })

  it('does not read the file of a segment that ends at a block boundary', () => {
    const digest = digestOf('what the store says')
    expect(fileSegment(0, { file: '/not/there', size: 2 * BLOCK, digest })).toMatchObject({ size: 2 * BLOCK, digest })
  })

  it('shifting a segment changes only its offset', () => {
    const segment = bytesSegment(BLOCK, Buffer.from('text'))
    expect(shifted([segment], 10 * BLOCK)).toEqual([{ ...segment, offset: 11 * BLOCK }])
  })
})
