import { describe, expect, it } from 'vitest'
import { configurationOf, testServices } from '../../../helpers/host.ts'

function lines(options: { maxPacketSize?: number } = {}) {
  const services = testServices({ mosquitto: { memory: '64 MiB', ...options } })
  return configurationOf(services, 'mosquitto', '/etc/mosquitto/mosquitto.conf').split('\n')
}

describe('the configuration of mosquitto', () => {
  it('mosquitto listens on the port that the firewall opens, and stores its state on the volume', () => {
    expect(lines()).toEqual(expect.arrayContaining(['listener 1883', 'persistence_location /data/']))
  })

  it('mosquitto limits the size of messages to the value in the host file', () => {
    expect(lines()).toContain('max_packet_size 2000000')
    expect(lines({ maxPacketSize: 512 })).toContain('max_packet_size 512')
  })
})
