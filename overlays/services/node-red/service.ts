import { z } from 'zod'
import { grammar } from '../../../images/grammar.ts'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../http-check.ts'
import { providerOf } from '../../lab-facts.ts'
import { MQTT_PORT, parseTopicFilter } from '../../mqtt.ts'
import { service } from '../../service.ts'
import { tlsFiles } from '../../tls-files.ts'
import { brokerEnvironment, firstFlows } from './flows.ts'
import { FIRST_FLOWS, SECRETS, settingsFile } from './settings.ts'

const PORT = 1880
const SETTINGS = '/etc/node-red/settings.cjs'
const TLS = tlsFiles('/etc/node-red/tls', 'node-red')

const topics = (about: string) =>
  z
    .array(grammar(parseTopicFilter))
    .default([parseTopicFilter('#')])
    .describe(about)

export const nodeRed = service({
  name: 'node-red',
  about: 'automation by flows that the owner draws in a browser',
  options: z.strictObject({
    publish: topics('The topics of the MQTT broker that flows may publish to.'),
    subscribe: topics('The topics of the MQTT broker that flows may read.'),
  }),
  memory: '256 MiB',
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'host', purpose: 'Node-RED', web: true }],
  secrets: () => ({
    'admin-password': {
      about: "the password of the user 'admin' in Node-RED's editor",
      value: { kind: 'random', bytes: 16 },
    },
    'credential-secret': {
      about: 'encrypts the credentials in flows; credentials must be entered again after a change',
      value: { kind: 'random', bytes: 32 },
    },
  }),
  certificates: () => ({ 'node-red': { about: 'flows as a client of the MQTT broker', usages: ['client'] } }),
  mqtt: ({ publish, subscribe }) => ({ 'node-red': { publish, subscribe } }),
  volumes: {
    'node-red': {
      about: 'flows, their encrypted credentials, and values that flows keep',
      binding: 'slot',
      owner: 'node-red',
      backup: { kind: 'files' },
    },
  },
  containers: (_, { host, lab }) => {
    const hasBroker = providerOf(lab, host.name, 'mosquitto') !== undefined
    return {
      'node-red': {
        image: { source: 'npm', folder: 'overlays/services/node-red', packages: [HTTP_CHECK_PACKAGE] },
        user: 'node-red',
        command: ['/usr/bin/node', '/app/node_modules/node-red/red.js', '--settings', SETTINGS, '--userDir', '/data'],
        environment: {
          HOME: '/data',
          TZ: host.timezone,
          ...(hasBroker ? brokerEnvironment(`mosquitto.${lab.facts.domain}`, TLS) : {}),
        },
        files: {
          [SETTINGS]: { kind: 'text', text: settingsFile(host.name, PORT) },
          [`${SECRETS}/admin-password`]: { kind: 'secret', name: 'admin-password' },
          [`${SECRETS}/credential-secret`]: { kind: 'secret', name: 'credential-secret' },
          ...TLS.files,
          ...(hasBroker ? { [FIRST_FLOWS]: { kind: 'text', text: firstFlows() } as const } : {}),
        },
        volumes: { '/data': 'node-red' },
        uses: hasBroker ? [{ service: 'mosquitto', port: MQTT_PORT }] : [],
        // Node-RED listens after it has loaded its settings and nodes.
        health: httpAnswers(PORT, '/'),
      },
    }
  },
})
