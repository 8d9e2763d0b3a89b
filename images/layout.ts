import { UserError } from '../errors.ts'

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB
export const SECTOR = 512
/** Block size of dm-verity, EROFS and the slot's index, in bytes. */
export const BLOCK = 4096

export type PartitionName = 'selector' | 'boot-a' | 'boot-b' | 'identity' | 'slot-a' | 'slot-b' | 'data'

/** A partition. `number` is its number in the GPT, from 1. `offset` and `size` are in bytes. */
export interface Partition {
  readonly name: PartitionName
  readonly number: number
  readonly offset: number
  readonly size: number
}

/** The partitions of a host's disk. They never change during the life of the host. */
export interface Layout {
  /** Version of the layout, also in the manifest. A device refuses an image with another layout version. */
  readonly version: 1
  readonly partitions: readonly Partition[]
  /** Size of the disk image in bytes. `data` grows to the end of the real disk at first boot. */
  readonly size: number
}

export const SELECTOR_SIZE = 16 * MIB
export const BOOT_SIZE = 512 * MIB
export const IDENTITY_SIZE = 32 * MIB
/** The size of `data` in the image file. hangar does not know the size of the real disk when it builds the image. */
export const DATA_SIZE_IN_IMAGE = 1 * GIB
/** The backup partition table takes the last 33 sectors. */
export const BACKUP_TABLE_SIZE = 33 * SECTOR
/**
 * The alignment of partitions. SD cards have erase blocks of up to 4 MiB, and two partitions never share an erase
 * block.
 */
const ALIGNMENT = 4 * MIB

/**
 * The partitions of a disk image. All FAT partitions come first, without others in between: the Pi's firmware is only tested
 * with such a layout (rpi-eeprom issues 668 and 818).
 */
export function diskLayout(slotSize: number): Layout {
  return layoutOf(slotSize, DATA_SIZE_IN_IMAGE)
}

/** The partitions on a real disk of `diskSize` bytes. `data` ends before the backup partition table. */
export function layoutOnDisk(slotSize: number, diskSize: number): Layout {
  const { offset } = partition(diskLayout(slotSize), 'data')
  const size = Math.floor(diskSize / SECTOR) * SECTOR
  const room = size - BACKUP_TABLE_SIZE - offset
  const layout = layoutOf(slotSize, Math.floor(room / BLOCK) * BLOCK)
  if (room >= DATA_SIZE_IN_IMAGE) return { ...layout, size }
  const needed = offset + DATA_SIZE_IN_IMAGE + BACKUP_TABLE_SIZE
  throw new UserError(
    'size',
    `the disk is too small: it has ${inGb(diskSize)} GB, the layout needs ${inGb(needed)} GB`,
    {
      hint: `use a larger disk: the layout has two slots of ${slotSize / MIB} MiB and at least 1 GiB of data`,
    },
  )
}

function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

function layoutOf(slotSize: number, dataSize: number): Layout {
  if (slotSize % ALIGNMENT !== 0) {
    throw new UserError('size', `the slot size ${slotSize} is not a multiple of ${ALIGNMENT} bytes`, {
      hint: "set 'slotSize' in the host file to whole GiB, for example '8 GiB'",
    })
  }
  const sizes: [PartitionName, number][] = [
    ['selector', SELECTOR_SIZE],
    ['boot-a', BOOT_SIZE],
    ['boot-b', BOOT_SIZE],
    ['identity', IDENTITY_SIZE],
    ['slot-a', slotSize],
    ['slot-b', slotSize],
    ['data', dataSize],
  ]
  let offset = ALIGNMENT
  const partitions = sizes.map(([name, size], index) => {
    const partition = { name, number: index + 1, offset, size }
    offset += size
    return partition
  })
  // Reserves 1 MiB at the end for the backup partition table.
  return { version: 1, partitions, size: offset + MIB }
}

export function partition(layout: Layout, name: PartitionName): Partition {
  const found = layout.partitions.find((each) => each.name === name)
  if (found === undefined) throw new Error(`the layout has no partition '${name}'`)
  return found
}
