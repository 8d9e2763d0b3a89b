import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { labHost, labOf, renderServices } from '../../../../overlays/host-services.ts'
import { findService } from '../../../../overlays/services/registry.ts'
import { configurationOf, testHost, testServices } from '../../../helpers/host.ts'
import { testService } from '../../../helpers/test-service.ts'

const MOSQUITTO = { mosquitto: { memory: '64 MiB' } }

function lines(options: { maxPacketSize?: number } = {}) {
  const services = testServices({ mosquitto: { memory: '64 MiB', ...options } })
  return configurationOf(services, 'mosquitto', '/etc/mosquitto/mosquitto.conf').split('\n')
}

describe('the configuration of mosquitto', () => {
  it('mosquitto listens on one port, with TLS and certificates of clients, and stores its state on the volume', () => {
    expect(lines().filter((line) => line.startsWith('listener '))).toEqual(['listener 8883'])
    expect(lines()).toEqual(
      expect.arrayContaining(['require_certificate true', 'allow_anonymous false', 'persistence_location /data/']),
    )
  })

  it('mosquitto limits the size of messages to the value in the host file', () => {
    expect(lines()).toContain('max_packet_size 2000000')
    expect(lines({ maxPacketSize: 512 })).toContain('max_packet_size 512')
  })
})

describe('the access list of mosquitto', () => {
  const ACCESS = '/etc/mosquitto/access'
  const HEALTH = ['user mosquitto-health', 'topic read $SYS/broker/version']

  it('has the health check, which may only read the version of the broker', () => {
    expect(configurationOf(testServices(MOSQUITTO), 'mosquitto', ACCESS).trim().split('\n')).toEqual(HEALTH)
  })

  it('has the clients of the host file, which may be services with further topics', () => {
    const clients = {
      workbench: { publish: [], subscribe: ['#'] },
      'mosquitto-health': { publish: ['health'], subscribe: [] },
    } as const
    const services = testServices({ mosquitto: { ...MOSQUITTO.mosquitto, clients } } as unknown as HostFile['services'])
    expect(configurationOf(services, 'mosquitto', ACCESS)).toBe(
      [HEALTH[0], 'topic write health', HEALTH[1], '', 'user workbench', 'topic read #', ''].join('\n'),
    )
  })

  it('has the services of all hosts of the lab', () => {
    const broker = testHost({ services: MOSQUITTO })
    const bridge = testService({ mqtt: () => ({ bridge: { publish: ['bridge/#'], subscribe: ['bridge/+/set'] } }) })
    const find = (name: string) => (name === 'test' ? bridge : findService(name))
    const other = {
      ...testHost({ name: 'other', services: {} }),
      services: [{ name: 'test', limits: {}, disk: {}, options: {} }],
    }
    const lab = { ...labOf(broker), hosts: [labHost(broker), labHost(other, find)] }
    expect(configurationOf(renderServices(broker, lab), 'mosquitto', ACCESS)).toContain(
      'user bridge\ntopic write bridge/#\ntopic read bridge/+/set\n',
    )
  })

  it.each(['Workbench', 'a b', 'a\nuser b', '', 'a.b'])(
    'refuses a client whose subject no certificate has: %j',
    (name) => {
      const clients = { [name]: { publish: [], subscribe: [] } }
      expect(() => testServices({ mosquitto: { ...MOSQUITTO.mosquitto, clients } } as HostFile['services'])).toThrow(
        'invalid subject of a certificate',
      )
    },
  )
})
