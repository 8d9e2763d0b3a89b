import { host } from './schema/host.ts'

export const starbuck = host({
  name: 'starbuck',
  board: 'raspberry-pi-5',
  memory: '8 GiB',
  disk: '256 GB',
  timezone: 'Europe/Zurich',
  network: { address: '10.0.10.12/24' },
  services: {
    prometheus: { memory: '512 MiB', cpus: 1 },
    alertmanager: { memory: '64 MiB', cpus: 0.5 },
    caddy: { memory: { caddy: '128 MiB', acme: '96 MiB' } },
    'node-red': { memory: '256 MiB' },
    zigbee2mqtt: {
      memory: '256 MiB',
      // The name of your adapter: ls /dev/serial/by-id
      adapter: '/dev/serial/by-id/usb-Nabu_Casa_Home_Assistant_Connect_ZBT-1-if00-port0',
      type: 'ember',
    },
  },
})
