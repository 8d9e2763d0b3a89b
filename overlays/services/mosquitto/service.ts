import { z } from 'zod'
import { service } from '../../service.ts'

const PORT = 1883
const CONFIGURATION = '/etc/mosquitto/mosquitto.conf'

export const mosquitto = service({
  name: 'mosquitto',
  about: 'MQTT broker; every client in the lab may publish and subscribe',
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
  }),
  memory: '96 MiB',
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'MQTT', web: false }],
  volumes: {
    mosquitto: {
      about: 'retained messages and the queues of persistent sessions',
      binding: 'slot',
      owner: 'mosquitto',
      backup: { kind: 'files' },
    },
  },
  containers: ({ maxPacketSize }) => ({
    mosquitto: {
      image: { source: 'debian', packages: ['mosquitto', 'mosquitto-clients'], tree: {} },
      user: 'mosquitto',
      command: ['/usr/sbin/mosquitto', '-c', CONFIGURATION],
      files: { [CONFIGURATION]: { kind: 'text', text: configuration(maxPacketSize) } },
      volumes: { '/data': 'mosquitto' },
      health: { command: HEALTH, interval: 30 },
    },
  }),
})

function configuration(maxPacketSize: number): string {
  return [
    `listener ${PORT}`,
    'allow_anonymous true',
    'persistence true',
    'persistence_location /data/',
    'autosave_interval 300',
    'log_dest stderr',
    `max_packet_size ${maxPacketSize}`,
    '',
  ].join('\n')
}

// Reads a retained topic that the broker itself publishes. An answer proves that the broker accepts clients and routes
// messages.
const HEALTH = [
  '/usr/bin/mosquitto_sub',
  ...['-h', '127.0.0.1'],
  ...['-p', String(PORT)],
  ...['-t', '$SYS/broker/version'],
  ...['-C', '1'],
  ...['-W', '5'],
  ...['-i', 'health'],
] as const
