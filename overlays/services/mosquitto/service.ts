import { z } from 'zod'
import { parseCertificateSubject } from '../../../images/certificates/need.ts'
import { grammar } from '../../../images/grammar.ts'
import type { HealthCheck } from '../../container.ts'
import { MQTT_PORT, type MqttTopics, parseTopicFilter } from '../../mqtt.ts'
import { type ServiceContext, service } from '../../service.ts'
import { tlsFiles } from '../../tls-files.ts'
import { accessList } from './access.ts'

const CONFIGURATION = '/etc/mosquitto/mosquitto.conf'
const ACCESS = '/etc/mosquitto/access'
const SERVER = tlsFiles('/etc/mosquitto/tls', 'mosquitto')
/** The client of the health check. */
const CHECK = tlsFiles('/etc/mosquitto/tls', 'mosquitto-health')
/** A retained topic that the broker itself publishes. */
const CHECKED_TOPIC = '$SYS/broker/version'

const topics = (about: string) => z.array(grammar(parseTopicFilter)).default([]).describe(about)

export const mosquitto = service({
  name: 'mosquitto',
  about: 'MQTT broker; TLS with client certificates only, and a list of topics for each client',
  options: z.strictObject({
    // mosquitto refuses less than 20 bytes (`max_packet_size` in src/conf.c). The length of a packet of MQTT has at most
    // 268,435,455 bytes after a header of 5 bytes (MQTT 5.0, 2.1.4).
    maxPacketSize: z
      .number()
      .int()
      .min(20)
      .max(268_435_460)
      .default(2_000_000)
      .describe('The largest message, in bytes.'),
    clients: z
      .record(
        grammar(parseCertificateSubject),
        z.strictObject({
          publish: topics('The topics that the client may publish to.'),
          subscribe: topics('The topics that the client may read.'),
        }),
      )
      .default({})
      .describe(
        "Topics of clients that are no services of the lab, and further topics of services, by the subject of the client's certificate.",
      ),
  }),
  memory: '96 MiB',
  ports: () => [{ number: MQTT_PORT, protocol: 'tcp', reach: 'lab', purpose: 'MQTT over TLS', web: false }],
  certificates: () => ({
    mosquitto: { about: 'the MQTT broker', usages: ['server'] },
    'mosquitto-health': { about: "the broker's health check", usages: ['client'] },
  }),
  mqtt: () => ({ 'mosquitto-health': { publish: [], subscribe: [CHECKED_TOPIC] } }),
  volumes: {
    mosquitto: {
      about: 'retained messages and the queues of persistent sessions',
      binding: 'slot',
      owner: 'mosquitto',
      backup: { kind: 'files' },
    },
  },
  containers: ({ maxPacketSize, clients }, context) => ({
    mosquitto: {
      image: { source: 'debian', packages: ['mosquitto', 'mosquitto-clients'], tree: {} },
      user: 'mosquitto',
      command: ['/usr/sbin/mosquitto', '-c', CONFIGURATION],
      files: {
        [CONFIGURATION]: { kind: 'text', text: configuration(maxPacketSize) },
        [ACCESS]: { kind: 'text', text: accessList(allClients(clients, context)) },
        ...SERVER.files,
        ...CHECK.files,
      },
      volumes: { '/data': 'mosquitto' },
      uses: [{ service: 'mosquitto', port: MQTT_PORT }],
      health: health(context),
    },
  }),
})

/** The clients of all hosts of the lab, because they may all use this broker, and those of the host file. */
function allClients(given: Readonly<Record<string, MqttTopics>>, { lab }: ServiceContext) {
  const services = lab.hosts.flatMap(({ offers }) => offers.flatMap(({ mqtt }) => mqtt))
  return [...services, ...Object.entries(given).map(([subject, topics]) => ({ subject, ...topics }))]
}

function configuration(maxPacketSize: number): string {
  return [
    `listener ${MQTT_PORT}`,
    'tls_version tlsv1.3',
    `cafile ${SERVER.ca}`,
    `certfile ${SERVER.certificate}`,
    `keyfile ${SERVER.key}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    `acl_file ${ACCESS}`,
    'persistence true',
    'persistence_location /data/',
    'autosave_interval 300',
    'log_dest stderr',
    `max_packet_size ${maxPacketSize}`,
    '',
  ].join('\n')
}

/**
 * Reads a topic by the name of this host, because another host may run a broker, too. An answer proves that the broker
 * accepts the certificates of clients, has a certificate that clients accept, and routes messages.
 */
function health({ host, lab }: ServiceContext): HealthCheck {
  return {
    command: [
      '/usr/bin/mosquitto_sub',
      ...['-h', `${host.name}.${lab.facts.domain}`],
      ...['-p', String(MQTT_PORT)],
      ...['--cafile', CHECK.ca],
      ...['--cert', CHECK.certificate],
      ...['--key', CHECK.key],
      ...['-t', CHECKED_TOPIC],
      ...['-C', '1'],
      ...['-W', '5'],
      ...['-i', 'health'],
    ],
    interval: 30,
  }
}
