import { BOARDS } from '../../../images/board.ts'
import { layoutOnDisk, partition } from '../../../images/layout.ts'
import type { HostBudget } from '../../schema/budget.ts'
import { MEMORY_RESERVE } from './check.ts'
import type { RenderedPi } from './image-of.ts'

/** What a Raspberry Pi has, and what its services may use. */
export function budgetOf({ host, services }: RenderedPi): HostBudget {
  const limits = services.services.flatMap(({ containers }) => containers.map((each) => each.limits))
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0)
  const open = services.offers.flatMap(({ ports }) => ports).filter(({ reach }) => reach === 'lab')
  return {
    memory: { total: host.memory, services: sum(limits.map(({ memory }) => memory)), reserve: MEMORY_RESERVE },
    cores: { total: BOARDS[host.board].cores, services: sum(limits.map(({ cpus }) => cpus)) },
    disk: {
      total: host.disk,
      slot: host.slotSize,
      data: partition(layoutOnDisk(host.slotSize, host.disk), 'data').size,
    },
    ports: open.sort((a, b) => a.number - b.number).map(({ number, protocol }) => ({ number, protocol })),
  }
}
