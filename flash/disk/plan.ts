import type { MappedRange } from '../../images/disk/bmap.ts'
import { gptPieces } from '../../images/disk/gpt-write.ts'
import { BACKUP_TABLE_SIZE, BLOCK, type Layout, MIB, type Partition, partition } from '../../images/layout.ts'
import { bytesPart, type Part, type Stage, zerosPart } from './part.ts'

/** Whether to erase or keep an existing data volume. */
export type DataFate = 'format' | 'keep'

export interface DiskPlanRequest {
  readonly host: string
  /** The layout for the size of the real disk. */
  readonly layout: Layout
  /** The ranges of the block map, cut at `cutsOf(layout)`. */
  readonly image: readonly MappedRange[]
  /** The complete identity partition; undefined if the host creates its identity at first boot. */
  readonly identity: Uint8Array | undefined
  readonly data: DataFate
}

/**
 * Two lists of stages, in order. hangar reads everything back after the first list, so that only a complete disk
 * becomes bootable.
 */
export interface DiskPlan {
  readonly unbootable: readonly Stage[]
  readonly bootable: readonly Stage[]
}

/**
 * The offsets at which hangar cuts the image: each piece then belongs to one partition, and the first block of boot-a
 * is a piece of its own.
 */
export function cutsOf(layout: Layout): number[] {
  const edges = layout.partitions.flatMap(({ offset, size }) => [offset, offset + size])
  return [...edges, partition(layout, 'boot-a').offset + BLOCK]
}

/**
 * Plans the writes so that a half-written disk never boots, because the power may fail after any write. Erases the old
 * partition tables and the first blocks of both boot partitions first. Writes the first block of boot-a and then the
 * partition tables last.
 */
export function planDiskWrite(request: DiskPlanRequest): DiskPlan {
  const { host, layout } = request
  const [bootA, bootB] = [partition(layout, 'boot-a'), partition(layout, 'boot-b')]
  const parts = request.image.flatMap((range) => imagePart(layout, range) ?? [])
  const isFirst = (part: Part) => part.offset === bootA.offset
  const [primary, backup] = gptPieces(layout, host)
  return {
    unbootable: [
      {
        name: 'old partition tables',
        parts: [
          zerosPart('old partition table', 0, MIB),
          zerosPart('old backup table', layout.size - BACKUP_TABLE_SIZE, BACKUP_TABLE_SIZE),
        ],
      },
      {
        name: 'old boot sectors',
        parts: [bootA, bootB].map(({ name, offset }) => zerosPart(`first block of ${name}`, offset, BLOCK)),
      },
      {
        name: 'image',
        parts: [...parts.filter((part) => !isFirst(part)), identityPart(request), ...dataParts(request)],
      },
    ],
    bootable: [
      { name: 'boot sector', parts: parts.filter(isFirst) },
      { name: 'backup table', parts: [bytesPart('backup table', backup.offset, backup.bytes)] },
      { name: 'partition table', parts: [bytesPart('partition table', primary.offset, primary.bytes)] },
    ],
  }
}

/** Leaves out the image's own partition tables, which only fit a disk of the image's size. */
function imagePart(layout: Layout, range: MappedRange): Part | undefined {
  const found = layout.partitions.find((each) => holds(each, range) && each.name !== 'data')
  return found === undefined ? undefined : { what: found.name, ...range, content: { kind: 'image' } }
}

function holds(part: Partition, { offset, size }: MappedRange): boolean {
  return offset >= part.offset && offset + size <= part.offset + part.size
}

/** Writes the whole identity partition, to erase the identity and update record of another host. */
function identityPart({ layout, identity }: DiskPlanRequest): Part {
  const { offset, size } = partition(layout, 'identity')
  return identity === undefined ? zerosPart('identity', offset, size) : bytesPart('identity', offset, identity)
}

/**
 * The areas that overlays/device/system/data.sh checks before it formats: the start, and the second superblock of
 * btrfs.
 */
const BLANK = 4 * MIB
const SECOND_SUPERBLOCK = 64 * MIB

/**
 * Erases the areas that mark the data volume as used, and its end, where some RAIDs and volume managers store a
 * signature.
 */
function dataParts({ layout, data }: DiskPlanRequest): Part[] {
  if (data === 'keep') return []
  const { offset, size } = partition(layout, 'data')
  return [
    zerosPart('start of data', offset, BLANK),
    zerosPart('second superblock of data', offset + SECOND_SUPERBLOCK, BLOCK),
    zerosPart('end of data', offset + size - MIB, MIB),
  ]
}
