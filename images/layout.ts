import { UserError } from '../errors.ts'

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB
export const SECTOR = 512
/** The unit of verity, of EROFS and of the slot's index, in bytes. */
export const BLOCK = 4096

export type PartitionName = 'selector' | 'boot-a' | 'boot-b' | 'identity' | 'slot-a' | 'slot-b' | 'data'

/** A partition in a disk's order; the GPT number is the place in the list, from 1. Bytes. */
export interface Partition {
  readonly name: PartitionName
  readonly number: number
  readonly offset: number
  readonly size: number
}

/** Where everything is on a host's disk, for life. */
export interface Layout {
  /** Format of this layout, in the manifest: a device refuses an image with another one. */
  readonly version: 1
  readonly partitions: readonly Partition[]
  /** Size of the disk image in bytes; `data` grows to the real disk's end at first boot. */
  readonly size: number
}

export const SELECTOR_SIZE = 16 * MIB
export const BOOT_SIZE = 512 * MIB
export const IDENTITY_SIZE = 32 * MIB
/** `data` in the image file; the disk's real size is not known when the image is made. */
export const DATA_SIZE_IN_IMAGE = 1 * GIB
/** The backup partition table takes the last 33 sectors. */
export const BACKUP_TABLE_SIZE = 33 * SECTOR
/** SD cards erase in blocks of up to 4 MiB; a partition never shares one with its neighbour. */
const ALIGNMENT = 4 * MIB

/**
 * The partitions of a host's disk. All FAT partitions come first and together: the Pi's firmware is only tried with
 * that (rpi-eeprom issues 668 and 818).
 */
export function diskLayout(slotSize: number): Layout {
  return layoutOf(slotSize, DATA_SIZE_IN_IMAGE)
}

/** The same on a real disk of that many bytes: `data` goes to its end, as far as the backup partition table leaves room. */
export function layoutOnDisk(slotSize: number, diskSize: number): Layout {
  const { offset } = partition(diskLayout(slotSize), 'data')
  const size = Math.floor(diskSize / SECTOR) * SECTOR
  const room = size - BACKUP_TABLE_SIZE - offset
  const layout = layoutOf(slotSize, Math.floor(room / BLOCK) * BLOCK)
  if (room >= DATA_SIZE_IN_IMAGE) return { ...layout, size }
  const needed = offset + DATA_SIZE_IN_IMAGE + BACKUP_TABLE_SIZE
  throw new UserError('size', `the disk has ${inGb(diskSize)} GB, the layout needs ${inGb(needed)} GB`, {
    hint: `take a larger disk: two slots of ${slotSize / MIB} MiB and 1 GiB for data have to fit`,
  })
}

function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

function layoutOf(slotSize: number, dataSize: number): Layout {
  if (slotSize % ALIGNMENT !== 0) {
    throw new UserError('size', `slot size ${slotSize} is not a multiple of ${ALIGNMENT} bytes`, {
      hint: "give the host file's 'slotSize' in whole GiB: '8 GiB'",
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
  // With room for the backup partition table.
  return { version: 1, partitions, size: offset + MIB }
}

export function partition(layout: Layout, name: PartitionName): Partition {
  const found = layout.partitions.find((each) => each.name === name)
  if (found === undefined) throw new Error(`layout without partition '${name}'`)
  return found
}
