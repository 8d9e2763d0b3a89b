import { z } from 'zod'
import { grammar } from '../../../images/grammar.ts'
import { alertRule } from '../../alert.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { MQTT_PORT } from '../../mqtt.ts'
import { service } from '../../service.ts'
import { tlsFiles } from '../../tls-files.ts'
import { ADAPTER_TYPES, type Adapter, adapterAt, parseAdapterPath } from './adapter.ts'
import { type Settings, settingsEnvironment } from './settings.ts'
import { SECRET_BYTES, SECRETS, START } from './start.ts'

const PORT = 8080
const START_FILE = '/etc/zigbee2mqtt/start.cjs'
const TLS = tlsFiles('/etc/zigbee2mqtt/tls', 'zigbee2mqtt')
/** The topic of Home Assistant's discovery, and the one on which it announces its start. */
const DISCOVERY = 'homeassistant'

const random = (name: keyof typeof SECRET_BYTES, about: string) => ({
  about,
  value: { kind: 'random', bytes: SECRET_BYTES[name] } as const,
})

const options = z.strictObject({
  adapter: grammar(parseAdapterPath).meta({
    description:
      "The adapter: a serial device, or 'tcp://ADDRESS:PORT'. Zigbee2MQTT waits for a missing serial device; an adapter with TCP must answer.",
    examples: ['/dev/serial/by-id/usb-…'],
  }),
  type: z.enum(ADAPTER_TYPES).meta({
    description: `The firmware of the adapter: ${ADAPTER_TYPES.map((each) => `\`${each}\``).join(', ')}.`,
    examples: ['ember'],
  }),
  channel: z
    .number()
    .int()
    .min(11)
    .max(26)
    .default(11)
    .describe('The Zigbee channel. Devices must be paired again after a change.'),
  discovery: z.boolean().default(true).describe('Whether Home Assistant discovers the devices by MQTT.'),
  deviceUpdates: z
    .boolean()
    .default(false)
    .describe('Whether Zigbee2MQTT looks on the internet for firmware of devices. It installs none without a request.'),
})

export const zigbee2mqtt = service({
  name: 'zigbee2mqtt',
  about: 'connects Zigbee devices to the MQTT broker',
  options,
  memory: '256 MiB',
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'host', purpose: 'Zigbee2MQTT', web: true }],
  alerts: () => [
    {
      name: 'zigbee2mqtt',
      rules: [
        alertRule(
          'ZigbeeAdapterMissing',
          'node_systemd_unit_state{name="zigbee2mqtt.service",state="inactive"} == 1',
          '15m',
          'zigbee2mqtt does not run on {{ $labels.host }}: it may wait for its adapter: npm run status',
        ),
      ],
    },
  ],
  secrets: () => ({
    'network-key': random('network-key', 'encrypts all Zigbee messages; devices must be paired again after a change'),
    'pan-id': random('pan-id', 'the short id of the Zigbee network; devices must be paired again after a change'),
    'extended-pan-id': random(
      'extended-pan-id',
      'the long id of the Zigbee network; devices must be paired again after a change',
    ),
    'web-token': random('web-token', "the password of Zigbee2MQTT's web page"),
  }),
  certificates: () => ({ zigbee2mqtt: { about: 'Zigbee2MQTT as a client of the MQTT broker', usages: ['client'] } }),
  mqtt: ({ discovery }) => {
    const found = discovery
      ? { publish: [`${DISCOVERY}/#`], subscribe: [`${DISCOVERY}/#`] }
      : { publish: [], subscribe: [] }
    return {
      zigbee2mqtt: { publish: ['zigbee2mqtt/#', ...found.publish], subscribe: ['zigbee2mqtt/#', ...found.subscribe] },
    }
  },
  volumes: {
    zigbee2mqtt: {
      about: 'paired devices, groups, their state, and a copy of the network key from the adapter',
      binding: 'slot',
      owner: 'zigbee2mqtt',
      backup: { kind: 'files' },
    },
  },
  containers: (chosen, { host, lab }) => {
    const adapter = adapterAt(chosen.adapter)
    return {
      zigbee2mqtt: {
        image: { source: 'npm', folder: 'overlays/services/zigbee2mqtt', packages: [HTTP_CHECK_PACKAGE] },
        user: 'zigbee2mqtt',
        command: ['/usr/bin/node', START_FILE, '/app/node_modules/zigbee2mqtt/index.js'],
        environment: {
          ZIGBEE2MQTT_DATA: '/data',
          // Without this, Zigbee2MQTT opens a page without authentication when it has no or invalid settings.
          Z2M_ONBOARD_NO_SERVER: '1',
          TZ: host.timezone,
          ...settingsEnvironment(settings(chosen, adapter, `mosquitto.${lab.facts.domain}`)),
        },
        files: {
          [START_FILE]: { kind: 'text', text: START },
          ...Object.fromEntries(
            Object.keys(SECRET_BYTES).map((name) => [`${SECRETS}/${name}`, { kind: 'secret', name } as const]),
          ),
          ...TLS.files,
        },
        volumes: { '/data': 'zigbee2mqtt' },
        uses: [
          { service: 'mosquitto', port: MQTT_PORT },
          adapter.use,
          ...(chosen.deviceUpdates ? [{ internet: [['tcp', 443]] } as const] : []),
        ],
        // The web page listens after the adapter and the broker have answered.
        health: httpAnswers(PORT, '/'),
      },
    }
  },
})

function settings(
  { type, channel, discovery, deviceUpdates }: z.infer<typeof options>,
  adapter: Adapter,
  broker: string,
): Settings {
  return {
    mqtt: {
      server: `mqtts://${broker}:${MQTT_PORT}`,
      version: 5,
      client_id: 'zigbee2mqtt',
      ca: TLS.ca,
      cert: TLS.certificate,
      key: TLS.key,
      reject_unauthorized: true,
    },
    serial: { port: adapter.path, adapter: type },
    // Without external code: a client that may publish to zigbee2mqtt/# could otherwise run programs.
    advanced: { channel, log_output: ['console'], enable_external_js: false },
    frontend: { enabled: true, package: 'zigbee2mqtt-windfront', host: '127.0.0.1', port: PORT, base_url: '/' },
    homeassistant: { enabled: discovery, discovery_topic: DISCOVERY, status_topic: `${DISCOVERY}/status` },
    availability: { enabled: true },
    ota: { disable_automatic_update_check: !deviceUpdates },
  }
}
