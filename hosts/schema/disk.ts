import { UserError } from '../../errors.ts'
import { layoutOnDisk, MIB, partition } from '../../images/layout.ts'
import type { HostServices } from '../../overlays/host-services.ts'

export interface DiskBudget {
  readonly name: string
  /** The size of the disk in bytes. */
  readonly disk: number
  readonly slotSize: number
  /** The disk space in bytes that is reserved for the system. */
  readonly reserve: number
  readonly services: HostServices
}

/**
 * Refuses quotas whose sum exceeds the data partition minus the reserve. Each slot has a copy of a volume. The copies share
 * unchanged blocks, but after some time all blocks may differ.
 */
export function checkVolumeQuotas({ name, disk, slotSize, reserve, services }: DiskBudget): void {
  const { size } = partition(layoutOnDisk(slotSize, disk), 'data')
  const volumes = services.services.flatMap((each) => each.volumes)
  const lines = volumes.map(({ name: volume, quota, binding }) => ({
    title: binding === 'slot' ? `${volume}, twice` : volume,
    bytes: binding === 'slot' ? 2 * quota : quota,
  }))
  const promised = lines.reduce((sum, { bytes }) => sum + bytes, 0)
  if (promised <= size - reserve) return
  const table = tableOf([
    ...lines.sort((a, b) => b.bytes - a.bytes),
    { title: 'all volumes', bytes: promised },
    { title: 'reserve', bytes: reserve },
    { title: 'data partition', bytes: size },
  ])
  throw new UserError(
    'host',
    `${name}: volumes may take ${inMib(promised)} MiB, but only ${inMib(size - reserve)} MiB are available:\n${table}`,
    { hint: `lower 'disk' of a service in hosts/${name}.ts, move a service to another host, or use a larger disk` },
  )
}

function tableOf(lines: readonly { readonly title: string; readonly bytes: number }[]): string {
  const width = Math.max(...lines.map(({ title }) => title.length))
  return lines.map(({ title, bytes }) => `  ${title.padEnd(width)}  ${String(inMib(bytes)).padStart(7)} MiB`).join('\n')
}

function inMib(bytes: number): number {
  return Math.floor(bytes / MIB)
}
