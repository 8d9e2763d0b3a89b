import { type Digest, digestOf } from '../digest.ts'
import { BLOCK } from '../layout.ts'

/** Bytes of an image that mean something: whole 4 KiB blocks, with the SHA-256 of what is there. */
export interface MappedRange {
  readonly offset: number
  readonly size: number
  readonly digest: Digest
}

/** A block map as bmap-tools reads it (version 2.0): only what it names has to be written, and can be verified. */
export function formatBmap(imageSize: number, ranges: readonly MappedRange[]): string {
  const mapped = ranges.reduce((sum, { size }) => sum + size / BLOCK, 0)
  const blocks = Math.ceil(imageSize / BLOCK)
  const lines = ranges.map(({ offset, size, digest }) => {
    const [first, last] = [offset / BLOCK, (offset + size) / BLOCK - 1]
    return `        <Range chksum="${digest}"> ${first === last ? first : `${first}-${last}`} </Range>`
  })
  const text = (checksum: string) =>
    [
      '<?xml version="1.0" ?>',
      '<bmap version="2.0">',
      `    <ImageSize> ${imageSize} </ImageSize>`,
      `    <BlockSize> ${BLOCK} </BlockSize>`,
      `    <BlocksCount> ${blocks} </BlocksCount>`,
      `    <MappedBlocksCount> ${mapped} </MappedBlocksCount>`,
      '    <ChecksumType> sha256 </ChecksumType>',
      `    <BmapFileChecksum> ${checksum} </BmapFileChecksum>`,
      '    <BlockMap>',
      ...lines,
      '    </BlockMap>',
      '</bmap>',
      '',
    ].join('\n')
  // The file's own checksum is taken with zeros in its place.
  return text(digestOf(text('0'.repeat(64))))
}
