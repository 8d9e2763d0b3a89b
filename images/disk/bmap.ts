import { UserError } from '../../errors.ts'
import { type Digest, digestOf, parseDigest } from '../digest.ts'
import { BLOCK } from '../layout.ts'

/** A used range of an image, in bytes. It is made of whole 4 KiB blocks; `digest` is the SHA-256 of its content. */
export interface MappedRange {
  readonly offset: number
  readonly size: number
  readonly digest: Digest
}

/** A block map for bmap-tools (version 2.0). It lists the ranges that must be written, with their checksums. */
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
  // Fills the checksum field with zeros first: the checksum of the file is defined so.
  return text(digestOf(text('0'.repeat(64))))
}

export interface Bmap {
  /** The size of the image, in bytes. */
  readonly imageSize: number
  readonly ranges: readonly MappedRange[]
}

/** Parses the output of `formatBmap`. Refuses a map whose checksum does not match. */
export function parseBmap(text: string, where: string): Bmap {
  const checksum = /<BmapFileChecksum> ([0-9a-f]{64}) <\/BmapFileChecksum>/.exec(text)?.[1]
  if (checksum === undefined || digestOf(text.replace(checksum, '0'.repeat(64))) !== checksum)
    throw bmapError(where, 'its checksum does not match its content')
  const field = (name: string) => Number(new RegExp(`<${name}> (\\d+) </${name}>`).exec(text)?.[1])
  const imageSize = field('ImageSize')
  if (field('BlockSize') !== BLOCK || !Number.isInteger(imageSize))
    throw bmapError(where, `expected a block size of ${BLOCK} and an image size`)
  const ranges = [...text.matchAll(/<Range chksum="([0-9a-f]{64})"> (\d+)(?:-(\d+))? <\/Range>/g)].map(
    ([, digest = '', first, last = first]) => {
      const offset = Number(first) * BLOCK
      return { offset, size: (Number(last) + 1) * BLOCK - offset, digest: parseDigest(digest) }
    },
  )
  const mapped = ranges.reduce((sum, { size }) => sum + size / BLOCK, 0)
  if (mapped !== field('MappedBlocksCount'))
    throw bmapError(where, 'the number of mapped blocks does not match its ranges')
  return { imageSize, ranges }
}

function bmapError(where: string, reason: string): UserError {
  return new UserError('format', `cannot use the block map '${where}': ${reason}`, {
    hint: 'build the image again: npm run build:image HOST',
  })
}
