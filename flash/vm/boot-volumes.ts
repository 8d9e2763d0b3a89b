import type { BlockSource } from '../../images/disk/block-source.ts'
import { openFat } from '../../images/disk/fat-read.ts'
import { readGpt } from '../../images/disk/gpt-read.ts'

/** A FAT file system that the firmware can read. */
export interface BootVolume {
  /** The number of the partition, from 1. */
  readonly number: number
  readonly label: string
  /** The content of a file; undefined if the file is missing or cannot be read. */
  read(name: string): Uint8Array | undefined
}

/** The disk's FAT file systems in the order of the partition table. The trace names those that cannot be read. */
export function bootVolumes(disk: BlockSource, trace: string[]): BootVolume[] {
  const partitions = attempt(() => readGpt(disk), 'partition table', trace) ?? []
  return partitions.flatMap(({ number, name, offset, size }): BootVolume[] => {
    const source = slice(disk, offset, size)
    if (!looksLikeFat(source)) return []
    const volume = attempt(() => openFat(source), `partition ${number} (${name})`, trace)
    if (volume === undefined) return []
    return [
      { number, label: name, read: (file) => attempt(() => volume.read(file), `partition ${number}, ${file}`, trace) },
    ]
  })
}

/** Whether a partition looks like a FAT file system. The first sector of an unbootable slot contains zeros. */
function looksLikeFat(source: BlockSource): boolean {
  const sector = source.read(0, 512)
  return sector[510] === 0x55 && sector[511] === 0xaa && (sector[0] === 0xeb || sector[0] === 0xe9)
}

function slice(disk: BlockSource, offset: number, size: number): BlockSource {
  return { size, read: (at, length) => disk.read(offset + at, length) }
}

/** Returns undefined after a read error, because the firmware continues too. */
function attempt<T>(act: () => T, what: string, trace: string[]): T | undefined {
  try {
    return act()
  } catch (error) {
    trace.push(`${what}: cannot be read: ${(error as Error).message}`)
    return undefined
  }
}
