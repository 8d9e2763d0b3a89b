import type { BlockSource } from '../../images/disk/block-source.ts'
import { openFat } from '../../images/disk/fat-read.ts'
import { readGpt } from '../../images/disk/gpt-read.ts'

/** A FAT file system that the firmware can look into. */
export interface BootVolume {
  /** The partition's number, from 1. */
  readonly number: number
  readonly label: string
  /** A file's bytes, undefined where it is not there or the file system is too damaged to tell. */
  read(name: string): Uint8Array | undefined
}

/** The disk's FAT file systems in the table's order; what cannot be read is named in the trace. */
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

/** An unbootable slot has a zeroed first sector: that is how things should be, and no error. */
function looksLikeFat(source: BlockSource): boolean {
  const sector = source.read(0, 512)
  return sector[510] === 0x55 && sector[511] === 0xaa && (sector[0] === 0xeb || sector[0] === 0xe9)
}

function slice(disk: BlockSource, offset: number, size: number): BlockSource {
  return { size, read: (at, length) => disk.read(offset + at, length) }
}

/** The firmware goes on where it cannot read something. */
function attempt<T>(act: () => T, what: string, trace: string[]): T | undefined {
  try {
    return act()
  } catch (error) {
    trace.push(`${what}: cannot be read: ${(error as Error).message}`)
    return undefined
  }
}
