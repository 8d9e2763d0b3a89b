import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SECTOR } from '../../images/layout.ts'
import { plainText } from '../ssh/remote.ts'

/** The paths of the kernel's directories with facts about devices: `/sys` and `/proc`. */
export interface KernelFiles {
  readonly sys: string
  readonly proc: string
}

export interface DevicePartition {
  /** The name of the partition: `sda1`. */
  readonly name: string
  /** The label in the partition table; empty if the partition has none. */
  readonly label: string
  /** The size in bytes. */
  readonly size: number
}

/** A block device as the kernel describes it. */
export interface BlockDevice {
  /** The name of the device: `sda`, `mmcblk0`, `nvme0n1`. */
  readonly name: string
  /** The size in bytes. */
  readonly size: number
  readonly sectorSize: number
  readonly access: 'read-write' | 'read-only'
  /** The name of the disk, if the device is a partition; otherwise undefined. */
  readonly partOf: string | undefined
  readonly vendor: string
  readonly model: string
  readonly serial: string
  readonly partitions: readonly DevicePartition[]
  /** The current uses of the device and its partitions: `sda1 is mounted at '/mnt'`. */
  readonly uses: readonly string[]
}

/** Reads the facts about the device with the number `MAJOR:MINOR`. */
export function readBlockDevice(number: string, files: KernelFiles): BlockDevice {
  const directory = realpathSync(join(files.sys, 'dev/block', number))
  const parts = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => existsSync(join(path, 'partition')))
  const isPartition = existsSync(join(directory, 'partition'))
  return {
    name: basename(directory),
    size: sizeOf(directory),
    sectorSize: Number(textOf(directory, 'queue/logical_block_size')) || SECTOR,
    access: textOf(directory, 'ro') === '1' ? 'read-only' : 'read-write',
    partOf: isPartition ? basename(dirname(directory)) : undefined,
    vendor: textOf(directory, 'device/vendor'),
    model: textOf(directory, 'device/model') || textOf(directory, 'device/name'),
    serial: textOf(directory, 'device/serial'),
    partitions: parts.map((path) => ({ name: basename(path), label: labelOf(path), size: sizeOf(path) })),
    uses: [directory, ...parts].flatMap((path) => usesOf(path, files)),
  }
}

function sizeOf(directory: string): number {
  return Number(textOf(directory, 'size')) * SECTOR
}

function labelOf(directory: string): string {
  return plainText(/^PARTNAME=(.*)$/m.exec(contentOf(directory, 'uevent'))?.[1] ?? '')
}

/** Removes control characters, because the disk may send any bytes as its name. */
function textOf(directory: string, file: string): string {
  return plainText(contentOf(directory, file))
}

function contentOf(directory: string, file: string): string {
  try {
    return readFileSync(join(directory, file), 'utf8')
  } catch {
    return ''
  }
}

function usesOf(directory: string, { proc }: KernelFiles): string[] {
  const device = { name: basename(directory), number: textOf(directory, 'dev') }
  return [...mountsOf(device, proc), ...swapOf(device, proc), ...holdersOf(directory)]
}

interface Named {
  readonly name: string
  readonly number: string
}

/** Finds a mount by device number or by name, because btrfs mounts have device numbers of their own. */
function mountsOf({ name, number }: Named, proc: string): string[] {
  const lines = contentOf(proc, 'self/mountinfo').split('\n').filter(Boolean)
  const points = lines.flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , mounted, , point = ''] = before.split(' ')
    return mounted === number || after.split(' ')[1] === `/dev/${name}` ? [unescaped(point)] : []
  })
  return [...new Set(points)].map((point) =>
    point === '/' ? `${name} holds the running system` : `${name} is mounted at '${point}'`,
  )
}

function swapOf({ name }: Named, proc: string): string[] {
  const isSwap = contentOf(proc, 'swaps')
    .split('\n')
    .some((line) => line.split(/\s/)[0] === `/dev/${name}`)
  return isSwap ? [`${name} is swap space`] : []
}

/** The volume groups, encrypted volumes and RAIDs that use the device. */
function holdersOf(directory: string): string[] {
  const holders = join(directory, 'holders')
  const names = existsSync(holders) ? readdirSync(holders) : []
  return names.map((holder) => `${basename(directory)} is part of ${holder} (LVM, encryption or RAID)`)
}

/** Decodes the octal escapes with which proc_pid_mountinfo(5) writes spaces and similar characters. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
