import { describe, expect, it } from 'vitest'
import { planOf } from '../../../hosts/schema/plan.ts'
import { testHost } from '../../helpers/host.ts'

describe('a plan', () => {
  it('names what to lock', () => {
    const plan = planOf(testHost())
    expect(plan.name).toBe('tiny')
    expect(plan.sets('amd64').map(({ set }) => set.name)).toContain('container/mosquitto')
  })

  it('is not made for a host that cannot work', () => {
    expect(() => planOf(testHost({ memory: '1 GiB' }))).toThrow('tiny: services may use 320 MiB')
  })
})
