import { readFileSync } from 'node:fs'
import { UserError } from '../../../errors.ts'
import type { Digest } from '../../../images/digest.ts'
import { BLOCK } from '../../../images/layout.ts'
import { formatIndex, placeLayers } from '../../../images/slot/index.ts'
import { hashTree, LEAF, leavesOf } from '../../../images/slot/verity.ts'
import { formatSize } from '../../../lib/format.ts'
import { bytesSegment, fileSegment, type Segment } from '../../outputs/segment.ts'
import type { RealisedLayer } from '../platform.ts'

export interface PlannedSlot {
  readonly segments: readonly Segment[]
  /** The size of index, layers and hash tree together, in bytes. */
  readonly size: number
  readonly dataBlocks: number
  readonly root: Digest
  readonly layers: readonly {
    readonly name: string
    readonly offset: number
    readonly size: number
    readonly sha256: Digest
  }[]
}

/**
 * Plans a slot: the index, the layers end to end, and one hash tree over both. Computes the tree from the stored block
 * digests (leaves), without reading the layers.
 */
export function planSlot(layers: readonly RealisedLayer[], slotSize: number): PlannedSlot {
  const placed = placeLayers(layers)
  const index = formatIndex(placed)
  const leaves = Buffer.concat([leavesOf(index), ...layers.map((layer) => readLeaves(layer))])
  const { root, bytes } = hashTree(leaves)
  const dataBlocks = leaves.length / LEAF
  const size = dataBlocks * BLOCK + bytes.length
  if (size > slotSize) throw tooLarge(size, slotSize, layers)
  const offsets = placed.map(({ first }) => first * BLOCK)
  const body = layers.map((layer, at) => fileSegment(offsets[at] ?? 0, layer))
  return {
    segments: [bytesSegment(0, index), ...body, bytesSegment(dataBlocks * BLOCK, bytes)],
    size,
    dataBlocks,
    root,
    layers: layers.map(({ name, size: bytesOf, digest }, at) => ({
      name,
      offset: offsets[at] ?? 0,
      size: bytesOf,
      sha256: digest,
    })),
  }
}

function readLeaves({ name, size, leaves }: RealisedLayer): Buffer {
  const bytes = readFileSync(leaves)
  if (bytes.length !== (size / BLOCK) * LEAF)
    throw new Error(`layer '${name}' has ${bytes.length / LEAF} leaves, wanted ${size / BLOCK}`)
  return bytes
}

function tooLarge(size: number, slotSize: number, layers: readonly RealisedLayer[]): UserError {
  const largest = [...layers].sort((a, b) => b.size - a.size).slice(0, 4)
  return new UserError(
    'size',
    `the image takes ${formatSize(size)}, but its slot has ${formatSize(slotSize)}; the largest layers: ${largest.map((layer) => `${layer.name} ${formatSize(layer.size)}`).join(', ')}`,
    {
      hint: 'remove a service from the host file, or set a larger slotSize for a new disk: the slots of a written disk cannot grow',
    },
  )
}
