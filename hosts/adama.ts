import { host } from './schema/host.ts'

export const adama = host({
  name: 'adama',
  board: 'raspberry-pi-5',
  memory: '4 GiB',
  disk: '64 GB',
  number: 1,
  timezone: 'Europe/Zurich',
  network: { address: '10.0.10.11/24' },
  services: {
    mosquitto: { memory: '96 MiB', cpus: 0.5 },
    prometheus: { memory: '512 MiB', cpus: 1 },
    alertmanager: { memory: '64 MiB', cpus: 0.5 },
  },
})
