import { UserError } from '../../../errors.ts'
import { diskLayout, GIB, MIB } from '../../../images/layout.ts'
import type { Host } from '../../../overlays/host-facts.ts'
import { checkVolumeQuotas } from '../../schema/disk.ts'
import { checkServiceMemory } from '../../schema/memory.ts'
import { checkServices } from '../../schema/service-checks.ts'
import type { RenderedPi } from './image-of.ts'

/** The memory that is reserved for the system and its page cache, and that services cannot use. */
export const MEMORY_RESERVE = 768 * MIB

/** The disk space that is reserved for /var, the journal (256 MiB) and the metadata of btrfs. */
export const DATA_RESERVE = 2 * GIB

/** Refuses a host that cannot work, before anything is built. */
export function checkPi({ host, services }: RenderedPi): void {
  checkDisk(host)
  checkServiceMemory({ ...host, reserve: MEMORY_RESERVE, services })
  checkVolumeQuotas({ ...host, reserve: DATA_RESERVE, services })
  checkServices(host.name, services)
}

function checkDisk({ name, disk, slotSize }: Host): void {
  const { size } = diskLayout(slotSize)
  if (size <= disk) return
  throw new UserError(
    'host',
    `${name}: two slots of ${slotSize / GIB} GiB and the other partitions need ${inGb(size)} GB, the disk has ${inGb(disk)} GB`,
    { hint: `set a smaller 'slotSize' in hosts/${name}.ts, or use a larger disk` },
  )
}

function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}
