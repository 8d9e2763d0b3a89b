import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { planAlone, testHost } from '../../../helpers/host.ts'

const checked = (changes: Partial<HostFile>) => () => planAlone(testHost(changes))

describe('the memory of a Pi', () => {
  it('services may use the memory of a Pi, except for the reserve', () => {
    expect(checked({ memory: '1 GiB', services: { mosquitto: { memory: '256 MiB' } } })).not.toThrow()
  })

  it('refuses services that need one MiB of the memory reserve', () => {
    expect(checked({ memory: '1 GiB', services: { mosquitto: { memory: '257 MiB' } } })).toThrow(
      'only 256 MiB are available',
    )
  })
})

describe('the disk of a Pi', () => {
  it('refuses a disk that cannot hold two slots, and names both sizes', () => {
    expect(checked({ disk: '16 GB' })).toThrow(
      expect.objectContaining({
        message: 'tiny: two slots of 8 GiB and the other partitions need 19.4 GB, the disk has 16.0 GB',
        hint: expect.stringContaining("set a smaller 'slotSize' in hosts/tiny.ts"),
      }),
    )
  })

  it('accepts a small disk if the slots fit', () => {
    const services = { mosquitto: { memory: '64 MiB' } }
    expect(checked({ disk: '16 GB', slotSize: '4 GiB', services })).not.toThrow()
  })
})

describe('a Pi', () => {
  it('refuses a network that cannot work', () => {
    expect(checked({ network: { address: '192.0.2.10/24', gateway: '192.0.3.1' } })).toThrow("the gateway '192.0.3.1'")
  })

  it('a Pi can run every service of the registry at once', () => {
    const memory = '16 MiB'
    expect(
      checked({ services: { alertmanager: { memory }, mosquitto: { memory }, prometheus: { memory } } }),
    ).not.toThrow()
  })
})
