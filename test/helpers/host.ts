import { renderPi } from '../../hosts/platforms/pi/image-of.ts'
import { type HostFile, host } from '../../hosts/schema/host.ts'
import { hostInLab, planOf } from '../../hosts/schema/plan.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { type HostServices, labOf, renderServices, type ServiceOnHost } from '../../overlays/host-services.ts'
import { DEFAULT_FACTS } from '../../overlays/lab-facts.ts'

/** A host file with the required fields and two services. */
export const HOST_FILE: HostFile = {
  name: 'tiny',
  board: 'raspberry-pi-5',
  memory: '2 GiB',
  disk: '32 GB',
  network: { address: '192.0.2.10/24', gateway: '192.0.2.1' },
  services: { mosquitto: { memory: '64 MiB', cpus: 0.5 }, prometheus: { memory: '256 MiB' } },
}

export function testHost(changes: Partial<HostFile> = {}): Host {
  return hostInLab(host({ ...HOST_FILE, ...changes }), DEFAULT_FACTS)
}

/** The plan of a host that is alone in its lab. */
export function planAlone(host: Host) {
  return planOf(host, labOf(host))
}

/** The rendered host that is alone in its lab. */
export function renderAlone(host: Host) {
  return renderPi(host, labOf(host))
}

export function testServices(services: HostFile['services']): HostServices {
  return renderServices(testHost({ services }))
}

/** A rendered service of a host. Throws if the host does not run the service. */
export function serviceNamed({ services }: HostServices, name: string): ServiceOnHost {
  const found = services.find((each) => each.name === name)
  if (found === undefined) throw new Error(`the host runs no service '${name}'`)
  return found
}

/** The text of a file in the only container of a service. */
export function configurationOf(services: HostServices, name: string, path: string): string {
  const [container] = serviceNamed(services, name).containers
  const file = container?.files[path]
  if (file?.kind !== 'text') throw new Error(`service '${name}' has no text file '${path}'`)
  return file.text
}
