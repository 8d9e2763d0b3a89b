import { describe, expect, it } from 'vitest'
import { checkServiceMemory } from '../../../hosts/schema/memory.ts'
import { MIB } from '../../../images/layout.ts'
import { testServices } from '../../helpers/host.ts'
import { withTestService } from '../../helpers/test-service.ts'

describe('checkServiceMemory', () => {
  const host = { name: 'tiny', memory: 2048 * MIB, reserve: 768 * MIB }

  it('refuses limits beyond the available memory, with a table of all limits', () => {
    const services = testServices({ mosquitto: { memory: '512 MiB' }, prometheus: { memory: '1 GiB' } })
    expect(() => checkServiceMemory({ ...host, services })).toThrow(
      expect.objectContaining({
        message: [
          'tiny: services may use 1536 MiB, but only 1280 MiB are available:',
          '  prometheus            1024 MiB',
          '  mosquitto              512 MiB',
          '  all services          1536 MiB',
          '  reserve                768 MiB',
          '  memory of the host    2048 MiB',
        ].join('\n'),
        hint: "lower 'memory' of a service in hosts/tiny.ts, or move a service to another host",
      }),
    )
  })

  it('adds the limits of every container of a service', () => {
    const image = { source: 'debian', packages: [], tree: {} } as const
    const container = {
      image,
      user: 'mosquitto',
      command: [],
      health: { command: ['/bin/true'], interval: 30 },
    } as const
    const memory = { server: '640 MiB', worker: '641 MiB' }
    const services = withTestService({ memory, containers: () => ({ server: container, worker: container }) })
    expect(() => checkServiceMemory({ ...host, services })).toThrow(/test-worker +641 MiB\n +test-server +640 MiB/)
  })
})
