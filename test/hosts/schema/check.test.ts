import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkHost } from '../../../hosts/schema/check.ts'
import type { HostFile } from '../../../hosts/schema/host.ts'
import { SERVICES } from '../../../overlays/services/registry.ts'
import { testHost } from '../../helpers/host.ts'

const checked = (changes: Partial<HostFile>) => () => checkHost(testHost(changes))
const network = (address: string, gateway = '192.0.2.1') => checked({ network: { address, gateway } })

describe('memory', () => {
  it('may be promised up to what the reserve leaves', () => {
    expect(checked({ memory: '1 GiB', services: { mosquitto: { memory: '256 MiB' } } })).not.toThrow()
  })

  it('is refused beyond that, with a table of who wants how much', () => {
    const services = { mosquitto: { memory: '512 MiB' }, prometheus: { memory: '1 GiB' } }
    expect(checked({ memory: '2 GiB', services })).toThrow(
      expect.objectContaining({
        message: [
          'tiny: services may use 1536 MiB, there is room for 1280 MiB:',
          '  prometheus            1024 MiB',
          '  mosquitto              512 MiB',
          '  all services          1536 MiB',
          '  reserve                768 MiB',
          '  memory of the host    2048 MiB',
        ].join('\n'),
        hint: "lower 'memory' of a service in hosts/tiny.ts, or move one to another host",
      }),
    )
  })

  it('is refused one MiB beyond it', () => {
    expect(checked({ memory: '1 GiB', services: { mosquitto: { memory: '257 MiB' } } })).toThrow('room for 256 MiB')
  })
})

describe('a port', () => {
  const listening = (number: number) => {
    const port = { number, protocol: 'tcp', reach: 'lab', purpose: 'test' } as const
    vi.spyOn(SERVICES.mosquitto, 'ports').mockReturnValue([port])
  }
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('that two services listen on is refused with both their names', () => {
    listening(9093)
    const services = { mosquitto: { memory: '64 MiB' }, alertmanager: { memory: '64 MiB' } }
    expect(checked({ services })).toThrow("port 9093/tcp is taken twice: by 'alertmanager' and by 'mosquitto'")
  })

  it("that is the host's own is refused with what the host does there", () => {
    listening(22)
    const services = { mosquitto: { memory: '64 MiB' } }
    expect(checked({ services })).toThrow("port 22/tcp is taken twice: by the host (ssh) and by 'mosquitto'")
  })

  it('of every service there is has one owner', () => {
    const services = Object.fromEntries(Object.keys(SERVICES).map((name) => [name, { memory: '1 MiB' }]))
    expect(checked({ services })).not.toThrow()
  })
})

describe('a network', () => {
  it.each(['192.0.2.10/24', '192.0.2.2/30', '192.10.0.1/8'])('that works is taken: %s', (address) => {
    expect(network(address)).not.toThrow()
  })

  it.each([
    ['192.0.3.10/24', "the gateway '192.0.2.1' is not another machine in the network of '192.0.3.10/24'"],
    ['192.0.2.10/29', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.1/24', "the gateway '192.0.2.1' is not another machine"],
    ['192.0.2.0/24', "'192.0.2.0/24' is the first or the last address of its network"],
    ['192.0.2.255/24', "'192.0.2.255/24' is the first or the last address"],
    ['192.0.2.2/31', "the network's prefix length is 31, wanted 8 to 30"],
    ['192.0.2.2/7', "the network's prefix length is 7"],
  ])('that does not work is refused: %s', (address, message) => {
    expect(network(address)).toThrow(message)
  })
})

describe('a disk', () => {
  it('that two slots do not fit on is refused with both sizes', () => {
    expect(checked({ disk: '16 GB' })).toThrow(
      expect.objectContaining({
        message: 'tiny: two slots of 8 GiB and what else is on the disk take 19.4 GB, the disk has 16.0 GB',
        hint: expect.stringContaining("set a smaller 'slotSize' in hosts/tiny.ts"),
      }),
    )
  })

  it('is taken with slots that fit', () => {
    expect(checked({ disk: '16 GB', slotSize: '4 GiB' })).not.toThrow()
  })
})
