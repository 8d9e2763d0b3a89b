import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ContainerDefinition } from '../../overlays/container.ts'
import { renderServices } from '../../overlays/host-services.ts'
import { SERVICES } from '../../overlays/services/registry.ts'
import { configurationOf, serviceNamed, testHost, testServices } from '../helpers/host.ts'
import { withTestService } from '../helpers/test-service.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('renderServices', () => {
  it('sorts the services by name and applies the host file', () => {
    const { services } = testServices({
      prometheus: { memory: '256 MiB', retentionDays: 3 },
      alertmanager: { memory: '64 MiB' },
    })
    expect(services.map(({ name }) => name)).toEqual(['alertmanager', 'prometheus'])
    const [container] = services[1]?.containers ?? []
    expect(container).toMatchObject({ name: 'prometheus', limits: { memory: 256 * 2 ** 20, cpus: 1 } })
    expect(container?.command).toContain('--storage.tsdb.retention.time=3d')
  })

  it('returns no services for a host file without services', () => {
    expect(testServices({}).services).toEqual([])
  })

  it('returns the same services for every order of the host file', () => {
    const [mosquitto, prometheus] = [{ memory: '64 MiB' }, { memory: '128 MiB' }]
    expect(testServices({ mosquitto, prometheus })).toEqual(testServices({ prometheus, mosquitto }))
  })

  it('throws for a service that the schema should have refused', () => {
    const host = testHost()
    const [first] = host.services
    if (first === undefined) throw new Error('the host has no service')
    expect(() => renderServices({ ...host, services: [{ ...first, name: 'grafana' }] })).toThrow(
      "unknown service 'grafana'",
    )
  })

  it('renders each service once, with the offers of the host and of all services', () => {
    const containers = vi.spyOn(SERVICES.prometheus, 'containers')
    const { offers } = testServices({ mosquitto: { memory: '64 MiB' }, prometheus: { memory: '64 MiB' } })
    expect(offers.map(({ name }) => name)).toEqual(['host', 'mosquitto', 'prometheus'])
    expect(containers.mock.calls.map(([, context]) => context.offers)).toEqual([offers])
  })
})

describe('a service with one container', () => {
  const services = testServices({ mosquitto: { memory: '64 MiB' } })

  it('gives the name of a service with one container to the container, the image and the volume', () => {
    const mosquitto = serviceNamed(services, 'mosquitto')
    expect(mosquitto.containers).toMatchObject([
      { name: 'mosquitto', imageName: 'mosquitto', volumes: { '/data': 'mosquitto' } },
    ])
    expect(mosquitto.volumes).toMatchObject([{ name: 'mosquitto', binding: 'slot', owner: 'mosquitto' }])
    expect(configurationOf(services, 'mosquitto', '/etc/mosquitto/mosquitto.conf')).toContain('1883')
  })
})

describe('a service with several containers', () => {
  const web = { source: 'debian', packages: ['web'], tree: {} } as const
  const database = { source: 'debian', packages: ['postgresql'], tree: {} } as const
  const container = (image: ContainerDefinition['image'], user: string): ContainerDefinition => ({
    image,
    user,
    command: ['/usr/bin/true'],
    health: { command: ['/usr/bin/true'], interval: 30 },
  })
  const volume = { about: 'test', binding: 'slot', owner: 'mosquitto', backup: { kind: 'files' } } as const
  const given = {
    memory: { server: '128 MiB', worker: '64 MiB', database: '256 MiB' },
    volumes: { test: volume, database: { ...volume, owner: 'alertmanager' } },
    containers: () => ({
      server: { ...container(web, 'mosquitto'), volumes: { '/data': 'test' } },
      worker: container(web, 'mosquitto'),
      database: { ...container(database, 'alertmanager'), volumes: { '/var/lib/postgresql': 'database' } },
    }),
  }

  it('names containers, images and volumes after the service and the container', () => {
    const { containers, volumes } = serviceNamed(withTestService(given), 'test')
    expect(containers.map(({ name }) => name)).toEqual(['test-server', 'test-worker', 'test-database'])
    expect(volumes.map(({ name }) => name)).toEqual(['test', 'test-database'])
    expect(containers.map((each) => each.volumes)).toEqual([
      { '/data': 'test' },
      {},
      { '/var/lib/postgresql': 'test-database' },
    ])
  })

  it('shares an image between containers with the same packages and user', () => {
    const { containers } = serviceNamed(withTestService(given), 'test')
    expect(containers.map(({ imageName }) => imageName)).toEqual(['test-server', 'test-server', 'test-database'])
  })

  it('gives each container its own limits', () => {
    const { containers } = serviceNamed(withTestService(given), 'test')
    expect(containers.map(({ limits }) => limits.memory / 2 ** 20)).toEqual([128, 64, 256])
  })

  it('requires a service to return the containers that it names', () => {
    const missing = { ...given, containers: () => ({ server: container(web, 'mosquitto') }) }
    expect(() => withTestService(missing)).toThrow("service 'test' must return the containers server, worker, database")
  })

  it('requires a service to mount only its own volumes', () => {
    const unknown = { ...given, volumes: {} }
    expect(() => withTestService(unknown)).toThrow("service 'test' mounts the unknown volume 'test'")
  })
})
