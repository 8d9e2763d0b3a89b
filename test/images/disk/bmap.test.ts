import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../images/digest.ts'
import { formatBmap, parseBmap } from '../../../images/disk/bmap.ts'

const [first, second] = [digestOf('first'), digestOf('second')]
const ranges = [
  { offset: 0, size: 5 * 4096, digest: first },
  { offset: 1024 * 4096, size: 4096, digest: second },
]

// bmaptool 3.6 copied an image with a map of this form and verified every checksum in it.
const MAP = `<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> 8388608 </ImageSize>
    <BlockSize> 4096 </BlockSize>
    <BlocksCount> 2048 </BlocksCount>
    <MappedBlocksCount> 6 </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> CHECKSUM </BmapFileChecksum>
    <BlockMap>
        <Range chksum="${first}"> 0-4 </Range>
        <Range chksum="${second}"> 1024 </Range>
    </BlockMap>
</bmap>
`

const checksumOf = (text: string) => /<BmapFileChecksum> ([0-9a-f]{64}) </.exec(text)?.[1] ?? ''

describe('formatBmap', () => {
  const text = formatBmap(8 * 1024 * 1024, ranges)

  it('lists the used ranges in blocks, with their digests', () => {
    expect(text).toBe(MAP.replace('CHECKSUM', checksumOf(text)))
  })

  it('a block map contains a checksum of itself, computed with zeros in its place', () => {
    expect(checksumOf(text)).toBe(digestOf(text.replace(checksumOf(text), '0'.repeat(64))))
  })

  it('the checksum of a block map changes with each range', () => {
    const moved = formatBmap(8 * 1024 * 1024, [ranges[0], { ...ranges[1], offset: 1025 * 4096 }] as typeof ranges)
    expect(checksumOf(moved)).not.toBe(checksumOf(text))
  })

  it('counts a last block that is not full', () => {
    expect(formatBmap(4097, [])).toContain('<BlocksCount> 2 </BlocksCount>')
  })
})

describe('parseBmap', () => {
  const text = formatBmap(8 * 1024 * 1024, ranges)

  it('returns the ranges that formatBmap wrote', () => {
    expect(parseBmap(text, 'a.bmap')).toEqual({ imageSize: 8 * 1024 * 1024, ranges })
    expect(parseBmap(formatBmap(4096, []), 'a.bmap')).toEqual({ imageSize: 4096, ranges: [] })
  })

  it.each([
    ['another range', () => text.replace('0-4', '0-5')],
    ['another digest', () => text.replace(first, second)],
    ['only its first half', () => text.slice(0, text.length >> 1)],
    ['other text', () => 'hello'],
  ])('refuses a block map with %s', (_, change) => {
    expect(() => parseBmap(change(), 'a.bmap')).toThrow(
      expect.objectContaining({
        code: 'format',
        message: "cannot use the block map 'a.bmap': its checksum does not match its content",
        hint: 'build the image again: npm run build:image HOST',
      }),
    )
  })
})
