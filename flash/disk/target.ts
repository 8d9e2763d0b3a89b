import { type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { layoutOnDisk, SECTOR } from '../../images/layout.ts'
import { formatSize } from '../../lib/format.ts'
import { type BlockDevice, type KernelFiles, readBlockDevice } from './block-device.ts'
import { diskFailure } from './failure.ts'

/** The facts about a host that decide whether a disk is suitable. Sizes are in bytes. */
export interface DiskHost {
  readonly name: string
  readonly disk: number
  readonly slotSize: number
}

/** The file or disk to which hangar writes a disk image. */
export type DiskTarget =
  | { readonly kind: 'device'; readonly path: string; readonly size: number; readonly device: BlockDevice }
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly state: 'existing' | 'missing' }

export const KERNEL_FILES: KernelFiles = { sys: '/sys', proc: '/proc' }

/** Examines a path. Throws unless it is a file, or an unused whole disk of a suitable size. */
export function findTarget(path: string, host: DiskHost, files: KernelFiles = KERNEL_FILES): DiskTarget {
  const found = statAt(path)
  if (found === undefined) return missingFile(path, host)
  if (found.isFile()) return checkedSize({ kind: 'file', path, size: found.size, state: 'existing' }, host)
  if (found.isBlockDevice()) return deviceTarget(path, readBlockDevice(numberOf(found.rdev), files), host)
  const what = found.isDirectory() ? 'a directory' : found.isCharacterDevice() ? 'a character device' : 'something else'
  throw new UserError('usage', `cannot flash '${path}': it is ${what}, wanted a disk or a file`, {
    hint: LIST_DISKS,
  })
}

function statAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw diskFailure('open', path, error)
  }
}

const LIST_DISKS = 'list the disks: lsblk -o NAME,SIZE,MODEL,LABEL'

/** Throws unless the device is an unused whole disk that is suitable for the host. */
export function deviceTarget(path: string, device: BlockDevice, host: DiskHost): DiskTarget {
  if (device.partOf !== undefined) {
    throw new UserError('usage', `cannot flash '${path}': it is a partition of ${device.partOf}, wanted a whole disk`, {
      hint: `to write that disk: --disk /dev/${device.partOf}`,
    })
  }
  if (device.uses.length > 0) {
    throw new UserError('busy', `cannot flash '${path}', which is in use: ${device.uses.join('; ')}`, {
      hint: `check that it is the right disk (${LIST_DISKS}). Then end the use (umount, swapoff) and run the same command again`,
    })
  }
  if (device.size === 0) {
    throw new UserError('usage', `cannot flash '${path}': the reader is empty`, {
      hint: 'insert a card into the reader',
    })
  }
  if (device.access === 'read-only') {
    throw new UserError('usage', `cannot flash '${path}': it is read-only`, {
      hint: 'SD cards have a write-protect switch on their side',
    })
  }
  if (device.sectorSize !== SECTOR) {
    throw new UserError(
      'usage',
      `cannot flash '${path}': its sectors have ${device.sectorSize} bytes, wanted ${SECTOR}`,
      { hint: 'some NVMe disks can change their sector size: nvme format --lbaf' },
    )
  }
  return checkedSize({ kind: 'device', path, size: device.size, device }, host)
}

/**
 * The largest factor between the actual size of a disk and the size in the host file. A larger disk is probably the
 * wrong disk.
 */
const LARGER = 4

function checkedSize(target: DiskTarget, { name, disk, slotSize }: DiskHost): DiskTarget {
  if (target.size <= disk * LARGER) {
    layoutOnDisk(slotSize, target.size)
    return target
  }
  throw new UserError(
    'size',
    `cannot flash '${target.path}': it has ${formatSize(target.size)}, the disk of ${name} has ${formatSize(disk)}`,
    {
      hint: `check that it is the right disk. If so, state its size in hosts/${name}.ts: disk: '${Math.round(target.size / 1e9)} GB'`,
    },
  )
}

/** A missing path becomes a new file. Below /dev it is an error, because the name of the disk is probably wrong. */
function missingFile(path: string, host: DiskHost): DiskTarget {
  const full = resolve(path)
  if (full.startsWith('/dev/')) {
    throw new UserError('usage', `cannot flash '${path}': no such disk`, { hint: LIST_DISKS })
  }
  if (statAt(dirname(full))?.isDirectory()) {
    const size = Math.floor(host.disk / SECTOR) * SECTOR
    return checkedSize({ kind: 'file', path, size, state: 'missing' }, host)
  }
  throw new UserError('usage', `cannot create '${path}': '${dirname(full)}' is not a directory`, { hint: LIST_DISKS })
}

/** Unpacks a device number (makedev(3)) to `MAJOR:MINOR`. */
function numberOf(device: number): string {
  const wide = BigInt(device)
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & ~0xfffn)
  const minor = (wide & 0xffn) | ((wide >> 12n) & ~0xffn)
  return `${major}:${minor}`
}
