import { describe, expect, it } from 'vitest'
import { forwardsOf } from '../../../hosts/schema/forwards.ts'
import { testHost } from '../../helpers/host.ts'

describe('forwardsOf', () => {
  it('returns ssh and each port that the lab reaches', () => {
    expect(forwardsOf(testHost())).toEqual([
      { name: 'ssh', guestPort: 22, port: 2201, kind: 'ssh' },
      { name: 'mosquitto', guestPort: 8883, port: 8883, kind: 'tcp' },
      { name: 'prometheus', guestPort: 9090, port: 9090, kind: 'http' },
    ])
  })

  it('names further ports of a service by their numbers, and needs no root for ports below 1024', () => {
    const caddy = testHost({ services: { caddy: { memory: { caddy: '64 MiB', acme: '64 MiB' } } } })
    expect(forwardsOf(caddy).slice(1)).toEqual([
      { name: 'caddy', guestPort: 443, port: 10_443, kind: 'tcp' },
      { name: 'caddy-80', guestPort: 80, port: 10_080, kind: 'tcp' },
    ])
  })

  it('returns ssh only for a host without services', () => {
    expect(forwardsOf(testHost({ services: {} })).map(({ name }) => name)).toEqual(['ssh'])
  })
})
