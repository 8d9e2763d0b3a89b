import { type HostFile, host } from '../../hosts/schema/host.ts'
import type { Host } from '../../overlays/host-facts.ts'

/** A host file with what has to be in one, and two services. */
export const HOST_FILE: HostFile = {
  name: 'tiny',
  board: 'raspberry-pi-5',
  memory: '2 GiB',
  disk: '32 GB',
  network: { address: '192.0.2.10/24', gateway: '192.0.2.1' },
  services: { mosquitto: { memory: '64 MiB', cpus: 0.5 }, prometheus: { memory: '256 MiB' } },
}

export function testHost(changes: Partial<HostFile> = {}): Host {
  return host({ ...HOST_FILE, ...changes })
}
