import { describe, expect, it } from 'vitest'
import { checkVolumeQuotas } from '../../../hosts/schema/disk.ts'
import { GIB } from '../../../images/layout.ts'
import { planAlone, testHost, testServices } from '../../helpers/host.ts'
import { withTestService } from '../../helpers/test-service.ts'

describe('checkVolumeQuotas', () => {
  const host = { name: 'tiny', disk: 32e9, slotSize: 8 * GIB, reserve: 2 * GIB }

  it('refuses quotas beyond the data partition, with a table of all quotas', () => {
    const services = testServices({ mosquitto: { memory: '64 MiB' }, prometheus: { memory: '64 MiB', disk: '6 GiB' } })
    expect(() => checkVolumeQuotas({ ...host, services })).toThrow(
      expect.objectContaining({
        message: [
          'tiny: volumes may take 14336 MiB, but only 11009 MiB are available:',
          '  prometheus, twice    12288 MiB',
          '  mosquitto, twice      2048 MiB',
          '  all volumes          14336 MiB',
          '  reserve               2048 MiB',
          '  data partition       13057 MiB',
        ].join('\n'),
        hint: "lower 'disk' of a service in hosts/tiny.ts, move a service to another host, or use a larger disk",
      }),
    )
  })

  it('counts a volume that both slots share once', () => {
    const volume = { about: 'models', owner: 'mosquitto', backup: { kind: 'files' }, quota: '10 GiB' } as const
    const services = (binding: 'shared' | 'slot') => withTestService({ volumes: { test: { ...volume, binding } } })
    expect(() => checkVolumeQuotas({ ...host, services: services('shared') })).not.toThrow()
    expect(() => checkVolumeQuotas({ ...host, services: services('slot') })).toThrow('volumes may take 20480 MiB')
  })

  it('accepts quotas that fill the partition exactly', () => {
    const quotas = (disk: string) => testServices({ mosquitto: { memory: '64 MiB', disk } })
    const free = { ...host, reserve: 0 }
    expect(() => checkVolumeQuotas({ ...free, services: quotas('6528 MiB') })).not.toThrow()
    expect(() => checkVolumeQuotas({ ...free, services: quotas('6530 MiB') })).toThrow('volumes may take')
  })

  it('is part of the plan of a host', () => {
    const services = { prometheus: { memory: '64 MiB', disk: '900 GiB' } }
    expect(() => planAlone(testHost({ services }))).toThrow('volumes may take')
  })
})
