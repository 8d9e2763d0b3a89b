import { z } from 'zod'
import { hostService, serviceSchema } from '../../hosts/schema/services.ts'
import { type HostServices, labOf, renderServices } from '../../overlays/host-services.ts'
import { type Service, service } from '../../overlays/service.ts'
import { findService } from '../../overlays/services/registry.ts'
import { type HOST_FILE, testHost } from './host.ts'

/** A service named `test`: one container that runs /usr/bin/true as the user of mosquitto, with these changes. */
export function testService(changes: Partial<Service> = {}): Service {
  const given = service({
    name: 'test',
    about: 'a service for tests',
    options: z.strictObject({}),
    memory: '64 MiB',
    ports: () => [],
    containers: () => ({
      test: {
        image: { source: 'debian', packages: ['coreutils'], tree: {} },
        user: 'mosquitto',
        command: ['/usr/bin/true'],
        health: { command: ['/usr/bin/true'], interval: 30 },
      },
    }),
  })
  return { ...(given as unknown as Service), ...changes }
}

/** A host that runs the test service with its recommended memory, beside the given services. */
export function withTestService(
  changes: Partial<Service>,
  services: (typeof HOST_FILE)['services'] = {},
): HostServices {
  const added = testService(changes)
  const host = testHost({ services })
  const limits = serviceSchema(added).parse({ memory: added.memory }) as unknown as Parameters<typeof hostService>[1]
  const all = [...host.services, hostService(added, limits)].sort((a, b) => (a.name < b.name ? -1 : 1))
  const find = (name: string) => (name === added.name ? added : findService(name))
  const served = { ...host, services: all }
  return renderServices(served, labOf(served, find), find)
}
