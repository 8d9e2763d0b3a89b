import { describe, expect, it } from 'vitest'
import { budgetOf } from '../../../../hosts/platforms/pi/budget.ts'
import { layoutOnDisk } from '../../../../images/layout.ts'
import { renderAlone, testHost } from '../../../helpers/host.ts'

const [MIB, GIB] = [2 ** 20, 2 ** 30]

describe('the budget of a Raspberry Pi', () => {
  const budget = budgetOf(renderAlone(testHost()))

  it('has the limits of all services, and the reserve of the system', () => {
    expect(budget.memory).toEqual({ total: 2 * GIB, services: 320 * MIB, reserve: 768 * MIB })
    expect(budget.cores).toEqual({ total: 4, services: 1.5 })
  })

  it('has the slots, and the data volume on the rest of the disk', () => {
    const partitions = layoutOnDisk(8 * GIB, 64e9).partitions.reduce((sum, { size }) => sum + size, 0)
    const { total, slot, data } = budget.disk
    expect([total, slot]).toEqual([64e9, 8 * GIB])
    expect(data).toBe(partitions - 2 * slot - (16 + 512 + 512 + 32) * MIB)
  })

  it('has the ports that are open to the lab, by number', () => {
    expect(budget.ports).toEqual([22, 8883, 9090, 9100].map((number) => ({ number, protocol: 'tcp' })))
  })
})
