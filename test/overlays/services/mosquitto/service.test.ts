import { describe, expect, it } from 'vitest'
import { renderedServices } from '../../../../overlays/rendered.ts'
import { testHost } from '../../../helpers/host.ts'

function lines(options: { maxPacketSize?: number } = {}) {
  const [mosquitto] = renderedServices(testHost({ services: { mosquitto: { memory: '64 MiB', ...options } } }))
  return mosquitto?.rendered.configuration['/etc/mosquitto/mosquitto.conf']?.split('\n')
}

describe("mosquitto's configuration", () => {
  it('listens on the port that the host opens, and keeps its state on the data volume', () => {
    expect(lines()).toEqual(expect.arrayContaining(['listener 1883', 'persistence_location /data/']))
  })

  it('limits messages to what the host file says', () => {
    expect(lines()).toContain('max_packet_size 2000000')
    expect(lines({ maxPacketSize: 512 })).toContain('max_packet_size 512')
  })
})
