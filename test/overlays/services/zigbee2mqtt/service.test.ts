import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../../hosts/schema/host.ts'
import { container } from '../../../../overlays/container.ts'
import { labOf, renderServices } from '../../../../overlays/host-services.ts'
import { zigbee2mqtt } from '../../../../overlays/services/zigbee2mqtt/service.ts'
import { configurationOf, REQUIRED_OPTIONS, testHost } from '../../../helpers/host.ts'

type Options = NonNullable<NonNullable<HostFile['services']>['zigbee2mqtt']>
const STICK = '/dev/serial/by-id/usb-stick'

function hostWith(changes: Partial<Options> = {}) {
  const own = { memory: '256 MiB', adapter: STICK, type: 'ember', ...changes } as const
  return testHost({ services: { mosquitto: { memory: '64 MiB' }, zigbee2mqtt: own } })
}

function containerWith(changes: Partial<Options> = {}) {
  const host = hostWith(changes)
  const settings = host.services.find(({ name }) => name === 'zigbee2mqtt')
  const options = zigbee2mqtt.options.parse(settings?.options)
  const definition = zigbee2mqtt.containers(options, { host, offers: [], lab: labOf(host) }).zigbee2mqtt
  if (definition === undefined) throw new Error('zigbee2mqtt has no container')
  return container(definition)
}

const setting = (name: string, changes: Partial<Options> = {}) =>
  containerWith(changes).environment[`ZIGBEE2MQTT_CONFIG_${name}`]

describe('zigbee2mqtt with a serial device', () => {
  it('waits for the device, which it may open as a member of the group dialout', () => {
    const use = { device: STICK, path: '/dev/zigbee', group: 20, missing: 'wait' }
    expect(containerWith().uses).toContainEqual(use)
    expect(setting('SERIAL_PORT')).toBe('/dev/zigbee')
    expect(setting('SERIAL_ADAPTER')).toBe('ember')
  })
})

describe('zigbee2mqtt with an adapter in the network', () => {
  it('connects to the address and the port of the adapter, and to no device', () => {
    const adapter = 'tcp://192.0.2.20:6638'
    const { uses } = containerWith({ adapter, type: 'zstack' })
    expect(uses).toEqual([
      { service: 'mosquitto', port: 8883 },
      { machine: '192.0.2.20', ports: [['tcp', 6638]] },
    ])
    expect(setting('SERIAL_PORT', { adapter })).toBe(adapter)
  })
})

describe('the path of an adapter', () => {
  it.each([STICK, '/dev/ttyUSB0', '/dev/serial/by-id/usb-ITead_3.0-if00-port0', 'tcp://10.0.10.50:65535'])(
    'may be %s',
    (adapter) => {
      expect(() => containerWith({ adapter })).not.toThrow()
    },
  )

  it.each([
    '',
    '/dev/',
    'dev/ttyUSB0',
    '/etc/passwd',
    '/dev/../etc/passwd',
    '/dev/serial/by-path/usb-0:1:1.0',
    '/dev/tty USB0',
    '/dev/%h',
    '/dev/a\nUser=0',
    'tcp://stick.lab:6638',
    'tcp://10.0.10.50',
    'tcp://10.0.10.50:0',
    'tcp://10.0.10.50:65536',
    'tcp://10.0.10.50:6638/x',
    'mdns://slzb-06',
  ])('cannot be %j', (adapter) => {
    expect(() => containerWith({ adapter })).toThrow("services.zigbee2mqtt.adapter'")
  })

  it('cannot be an address that is no machine', () => {
    expect(() => containerWith({ adapter: 'tcp://127.0.0.1:6638' })).toThrow("'127.0.0.1'")
  })
})

describe('the settings of zigbee2mqtt', () => {
  it('never open the page that sets up a new network', () => {
    expect(containerWith().environment).toMatchObject({ Z2M_ONBOARD_NO_SERVER: '1' })
  })

  it('connect to the broker of the lab over TLS, with the certificate of the service', () => {
    const { files } = containerWith()
    const [ca = '', certificate = '', key = ''] = ['CA', 'CERT', 'KEY'].map((name) => String(setting(`MQTT_${name}`)))
    expect([files[ca], files[certificate], files[key]]).toEqual([
      { kind: 'ca' },
      { kind: 'certificate', subject: 'zigbee2mqtt' },
      { kind: 'certificate-key', subject: 'zigbee2mqtt' },
    ])
    expect(setting('MQTT_SERVER')).toBe('mqtts://mosquitto.lab:8883')
    expect(setting('MQTT_REJECT_UNAUTHORIZED')).toBe('true')
  })

  it('open the web page only to the host itself, and run no code that arrives by MQTT', () => {
    expect(setting('FRONTEND_HOST')).toBe('127.0.0.1')
    expect(setting('ADVANCED_ENABLE_EXTERNAL_JS')).toBe('false')
  })

  it('need the internet only if the host file allows updates of devices', () => {
    const internet = { internet: [['tcp', 443]] }
    expect(containerWith().uses).not.toContainEqual(internet)
    expect(setting('OTA_DISABLE_AUTOMATIC_UPDATE_CHECK')).toBe('true')
    expect(containerWith({ deviceUpdates: true }).uses).toContainEqual(internet)
    expect(setting('OTA_DISABLE_AUTOMATIC_UPDATE_CHECK', { deviceUpdates: true })).toBe('false')
  })
})

describe('the secrets of zigbee2mqtt', () => {
  it('are random, and each is a file of the container', () => {
    const secrets = zigbee2mqtt.secrets(zigbee2mqtt.options.parse(REQUIRED_OPTIONS.zigbee2mqtt))
    const sizes = Object.entries(secrets).map(([name, { value }]) => [name, value.kind === 'random' && value.bytes])
    expect(Object.fromEntries(sizes)).toEqual({ 'network-key': 16, 'pan-id': 2, 'extended-pan-id': 8, 'web-token': 16 })
    const used = Object.values(containerWith().files).flatMap((file) => (file.kind === 'secret' ? [file.name] : []))
    expect(used.sort()).toEqual(Object.keys(secrets).sort())
  })
})

describe('the topics of zigbee2mqtt', () => {
  const access = (changes: Partial<Options> = {}) => {
    const text = configurationOf(renderServices(hostWith(changes)), 'mosquitto', '/etc/mosquitto/access')
    return text
      .split('\n\n')
      .find((part) => part.startsWith('user zigbee2mqtt\n'))
      ?.split('\n')
      .slice(1)
  }

  it('are its own, and those of Home Assistant only if Home Assistant may discover the devices', () => {
    const own = ['topic write zigbee2mqtt/#', 'topic read zigbee2mqtt/#']
    expect(access({ discovery: false })?.filter((line) => line !== '')).toEqual(own)
    expect(setting('HOMEASSISTANT_ENABLED', { discovery: false })).toBe('false')
    expect(access()).toEqual(
      expect.arrayContaining([...own, 'topic write homeassistant/#', 'topic read homeassistant/#']),
    )
    expect(setting('HOMEASSISTANT_ENABLED')).toBe('true')
  })
})
