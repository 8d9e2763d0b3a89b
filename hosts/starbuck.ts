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
  },
})
