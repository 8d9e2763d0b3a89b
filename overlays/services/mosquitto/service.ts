import { z } from 'zod'
import { service } from '../../service.ts'

const PORT = 1883

export const mosquitto = service({
  name: 'mosquitto',
  about: 'MQTT broker; inside the lab anybody may publish and subscribe',
  options: z.strictObject({
    /** The largest message in bytes. */
    maxPacketSize: z.number().int().positive().default(2_000_000),
  }),
  container: { source: 'debian', packages: ['mosquitto', 'mosquitto-clients'], tree: {} },
  ports: () => [{ number: PORT, protocol: 'tcp', reach: 'lab', purpose: 'MQTT' }],
  metrics: () => undefined,
  render: ({ maxPacketSize }) => ({
    user: 'mosquitto',
    command: ['/usr/sbin/mosquitto', '-c', '/etc/mosquitto/mosquitto.conf'],
    configuration: {
      '/etc/mosquitto/mosquitto.conf': [
        `listener ${PORT}`,
        'allow_anonymous true',
        'persistence true',
        'persistence_location /data/',
        'autosave_interval 300',
        'log_dest stderr',
        `max_packet_size ${maxPacketSize}`,
        '',
      ].join('\n'),
    },
    data: '/data',
    health: {
      // A retained topic that the broker itself keeps: an answer shows that it takes connections and routes messages.
      command: [
        '/usr/bin/mosquitto_sub',
        '-h',
        '127.0.0.1',
        '-p',
        String(PORT),
        '-t',
        '$SYS/broker/version',
        '-C',
        '1',
        '-W',
        '5',
        '-i',
        'health',
      ],
      interval: 30,
    },
  }),
})
