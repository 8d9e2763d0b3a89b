import { describe, expect, it } from 'vitest'
import { debianSets } from '../../helpers/debian-sets.ts'
import { planAlone, testHost } from '../../helpers/host.ts'

describe('planOf', () => {
  it('the plan of a host names the platform and the package sets to lock', () => {
    const plan = planAlone(testHost())
    expect(plan).toMatchObject({ name: 'tiny', platform: 'pi' })
    expect(debianSets(plan.requests('amd64')).map(({ set }) => set.name)).toContain('container/mosquitto')
  })

  it('refuses a host whose checks fail', () => {
    expect(() => planAlone(testHost({ memory: '1 GiB' }))).toThrow('tiny: services may use 320 MiB')
  })
})
