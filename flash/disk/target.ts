import { type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { layoutOnDisk, SECTOR } from '../../images/layout.ts'
import { formatSize } from '../../lib/format.ts'
import { type BlockDevice, type KernelFiles, readBlockDevice } from './block-device.ts'
import { diskFailure } from './failure.ts'

/** What of a host decides which disk is its own. Bytes. */
export interface DiskHost {
  readonly name: string
  readonly disk: number
  readonly slotSize: number
}

/** What a disk image can be written to. */
export type Target =
  | { readonly kind: 'device'; readonly path: string; readonly size: number; readonly device: BlockDevice }
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly state: 'there' | 'missing' }

export const KERNEL_FILES: KernelFiles = { sys: '/sys', proc: '/proc' }

/** Finds out what a path is, and refuses what is not a whole disk that nothing uses and that fits the host. */
export function findTarget(path: string, host: DiskHost, files: KernelFiles = KERNEL_FILES): Target {
  const found = statAt(path)
  if (found === undefined) return missingFile(path, host)
  if (found.isFile()) return checkedSize({ kind: 'file', path, size: found.size, state: 'there' }, host)
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

const LIST_DISKS = 'see which disks there are: lsblk -o NAME,SIZE,MODEL,LABEL'

/** A whole disk that nothing uses; everything else is refused, with what to do. */
export function deviceTarget(path: string, device: BlockDevice, host: DiskHost): Target {
  if (device.partOf !== undefined) {
    throw new UserError('usage', `cannot flash '${path}': it is a partition of ${device.partOf}, wanted a whole disk`, {
      hint: `if that is the disk that you mean: --disk /dev/${device.partOf}`,
    })
  }
  if (device.uses.length > 0) {
    throw new UserError('busy', `cannot flash '${path}', which is in use: ${device.uses.join('; ')}`, {
      hint: `is it the right disk? If so, give it free (umount, swapoff), and type the same command again; ${LIST_DISKS}`,
    })
  }
  if (device.size === 0) {
    throw new UserError('usage', `cannot flash '${path}': there is nothing in it`, { hint: 'put a card in' })
  }
  if (device.access === 'read-only') {
    throw new UserError('usage', `cannot flash '${path}': it is read-only`, {
      hint: 'cards have a switch against writing at their side',
    })
  }
  if (device.sectorSize !== SECTOR) {
    throw new UserError(
      'usage',
      `cannot flash '${path}': its sectors have ${device.sectorSize} bytes, wanted ${SECTOR}`,
      { hint: 'some NVMe disks can be changed: nvme format --lbaf' },
    )
  }
  return checkedSize({ kind: 'device', path, size: device.size, device }, host)
}

/** So much larger than the host file says, and it is another disk. */
const LARGER = 4

function checkedSize(target: Target, { name, disk, slotSize }: DiskHost): Target {
  if (target.size <= disk * LARGER) {
    layoutOnDisk(slotSize, target.size)
    return target
  }
  throw new UserError(
    'size',
    `cannot flash '${target.path}': it has ${formatSize(target.size)}, the disk of ${name} ${formatSize(disk)}`,
    {
      hint: `is it the right disk? If so, give its size in hosts/${name}.ts: disk: '${Math.round(target.size / 1e9)} GB'`,
    },
  )
}

/** Nobody wants a file where a disk should have been. */
function missingFile(path: string, host: DiskHost): Target {
  const full = resolve(path)
  if (full.startsWith('/dev/')) {
    throw new UserError('usage', `cannot flash '${path}': there is no such disk`, { hint: LIST_DISKS })
  }
  if (statAt(dirname(full))?.isDirectory()) {
    const size = Math.floor(host.disk / SECTOR) * SECTOR
    return checkedSize({ kind: 'file', path, size, state: 'missing' }, host)
  }
  throw new UserError('usage', `cannot make '${path}': '${dirname(full)}' is no directory`, { hint: LIST_DISKS })
}

/** As the kernel packs it for programs (makedev(3)). */
function numberOf(device: number): string {
  const wide = BigInt(device)
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & ~0xfffn)
  const minor = (wide & 0xffn) | ((wide >> 12n) & ~0xffn)
  return `${major}:${minor}`
}

/** A few lines from which a person tells whether it is the right disk. */
export function describeTarget(target: Target): string[] {
  if (target.kind === 'file') {
    return [`${target.path}: a file of ${formatSize(target.size)}${target.state === 'missing' ? ', to be made' : ''}`]
  }
  const { vendor, model, serial, partitions } = target.device
  const known =
    [vendor, model, serial && `serial ${serial}`].filter(Boolean).join(' ') || 'a disk that does not say what'
  return [
    `${target.path}: ${known}, ${formatSize(target.size)}`,
    ...partitions.map(({ name, label, size }) => `  ${name}  ${formatSize(size)}  ${label}`.trimEnd()),
    ...(partitions.length === 0 ? ['  no partitions'] : []),
  ]
}
