import type { MappedRange } from '../../images/disk/bmap.ts'
import { gptPieces } from '../../images/disk/gpt-write.ts'
import { BACKUP_TABLE_SIZE, BLOCK, type Layout, MIB, type Partition, partition } from '../../images/layout.ts'
import { bytesPart, type Part, type Stage, zerosPart } from './part.ts'

/** What becomes of the data volume that may be on the disk. */
export type DataFate = 'format' | 'keep'

export interface DiskPlanRequest {
  readonly host: string
  /** Of the real disk. */
  readonly layout: Layout
  /** What of the image means something, cut at `cutsOf(layout)`. */
  readonly image: readonly MappedRange[]
  /** The whole identity partition; undefined where the host shall make its identity itself. */
  readonly identity: Uint8Array | undefined
  readonly data: DataFate
}

/** Both lists in order. Between them everything is read back: only what is whole is made to boot. */
export interface DiskPlan {
  readonly unbootable: readonly Stage[]
  readonly bootable: readonly Stage[]
}

/** Where the image has to be cut, so that each piece belongs to one partition and boot-a's first block is by itself. */
export function cutsOf(layout: Layout): number[] {
  const edges = layout.partitions.flatMap(({ offset, size }) => [offset, offset + size])
  return [...edges, partition(layout, 'boot-a').offset + BLOCK]
}

/**
 * Order is safety: the power may go after any write. Nothing boots once the old tables and the first blocks of both boot
 * partitions are gone; nothing boots again before boot-a's first block and then a table are there, which come last.
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

/** The image's own tables are for a disk of the image's size: they are left out. */
function imagePart(layout: Layout, range: MappedRange): Part | undefined {
  const found = layout.partitions.find((each) => holds(each, range) && each.name !== 'data')
  return found === undefined ? undefined : { what: found.name, ...range, content: { kind: 'image' } }
}

function holds(part: Partition, { offset, size }: MappedRange): boolean {
  return offset >= part.offset && offset + size <= part.offset + part.size
}

/** Whole: another host's identity and the record of its updates are not for this one to find. */
function identityPart({ layout, identity }: DiskPlanRequest): Part {
  const { offset, size } = partition(layout, 'identity')
  return identity === undefined ? zerosPart('identity', offset, size) : bytesPart('identity', offset, identity)
}

/** What `data` of overlays/device/system/data.sh looks at before it formats: start and second superblock of btrfs. */
const BLANK = 4 * MIB
const SECOND_SUPERBLOCK = 64 * MIB

/** The end too: there are RAIDs and volume managers that mark it. */
function dataParts({ layout, data }: DiskPlanRequest): Part[] {
  if (data === 'keep') return []
  const { offset, size } = partition(layout, 'data')
  return [
    zerosPart('start of data', offset, BLANK),
    zerosPart('second superblock of data', offset + SECOND_SUPERBLOCK, BLOCK),
    zerosPart('end of data', offset + size - MIB, MIB),
  ]
}
