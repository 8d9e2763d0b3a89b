import { UserError } from '../../errors.ts'
import { type Digest, digestOf, parseDigest } from '../digest.ts'
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

export interface Bmap {
  /** Bytes. */
  readonly imageSize: number
  readonly ranges: readonly MappedRange[]
}

/** Reads what `formatBmap` writes; a map that is not what its own checksum says is refused. */
export function parseBmap(text: string, where: string): Bmap {
  const checksum = /<BmapFileChecksum> ([0-9a-f]{64}) <\/BmapFileChecksum>/.exec(text)?.[1]
  if (checksum === undefined || digestOf(text.replace(checksum, '0'.repeat(64))) !== checksum)
    throw bmapError(where, 'its own checksum does not hold')
  const field = (name: string) => Number(new RegExp(`<${name}> (\\d+) </${name}>`).exec(text)?.[1])
  const imageSize = field('ImageSize')
  if (field('BlockSize') !== BLOCK || !Number.isInteger(imageSize))
    throw bmapError(where, `its blocks are not ${BLOCK}`)
  const ranges = [...text.matchAll(/<Range chksum="([0-9a-f]{64})"> (\d+)(?:-(\d+))? <\/Range>/g)].map(
    ([, digest = '', first, last = first]) => {
      const offset = Number(first) * BLOCK
      return { offset, size: (Number(last) + 1) * BLOCK - offset, digest: parseDigest(digest) }
    },
  )
  const mapped = ranges.reduce((sum, { size }) => sum + size / BLOCK, 0)
  if (mapped !== field('MappedBlocksCount')) throw bmapError(where, 'it does not name as many blocks as it says')
  return { imageSize, ranges }
}

function bmapError(where: string, reason: string): UserError {
  return new UserError('format', `the block map '${where}' cannot be used: ${reason}`, {
    hint: 'build the image again: npm run build:image HOST',
  })
}
