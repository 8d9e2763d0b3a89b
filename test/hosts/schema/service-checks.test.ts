import { describe, expect, it } from 'vitest'
import { checkServices } from '../../../hosts/schema/service-checks.ts'
import type { ContainerDefinition } from '../../../overlays/container.ts'
import type { Port } from '../../../overlays/offer.ts'
import type { Service, Volume } from '../../../overlays/service.ts'
import { everyService, testServices } from '../../helpers/host.ts'
import { withTestService } from '../../helpers/test-service.ts'

const CONTAINER: ContainerDefinition = {
  image: { source: 'debian', packages: ['coreutils'], tree: {} },
  // No service of the registry runs as this user.
  user: 'sshd',
  command: ['/usr/bin/true'],
  health: { command: ['/usr/bin/true'], interval: 30 },
}
const MOSQUITTO = { mosquitto: { memory: '64 MiB' } }
const VOLUME: Volume = { about: 'test', binding: 'slot', owner: 'sshd', backup: { kind: 'files' } }

/** Checks a host that runs mosquitto and the test service. */
const checked = (container: Partial<ContainerDefinition>, changes: Partial<Service> = {}) => {
  const services = withTestService(
    { containers: () => ({ [changes.name ?? 'test']: { ...CONTAINER, ...container } }), ...changes },
    MOSQUITTO,
  )
  return () => checkServices('tiny', services)
}

describe('checkServices', () => {
  it('accepts all services of the registry on one host', () => {
    expect(() => checkServices('tiny', testServices(everyService('16 MiB')))).not.toThrow()
  })

  it('accepts a supported service without conflicts', () => {
    expect(checked({})).not.toThrow()
  })
})

describe('a feature that hangar does not support yet', () => {
  it.each<[string, Partial<ContainerDefinition>, string]>([
    [
      'a secret file',
      { files: { '/run/secrets/key': { kind: 'secret', name: 'test-key' } } },
      "needs the secret 'test-key': hangar does not support secrets yet",
    ],
    [
      'a secret in the environment',
      { environment: { TOKEN: { kind: 'secret', name: 'test-token' } } },
      "needs the secret 'test-token': hangar does not support secrets yet",
    ],
    [
      'a certificate',
      { files: { '/etc/tls.pem': { kind: 'certificate', subject: 'test.lab' } } },
      "needs a certificate for 'test.lab': hangar does not support certificates yet",
    ],
    [
      "the CA's certificate",
      { files: { '/etc/ca.pem': { kind: 'ca' } } },
      "needs the CA's certificate: hangar does not support certificates yet",
    ],
    [
      'an image of PyPI packages',
      { image: { source: 'pypi', folder: 'overlays/services/test' } },
      "needs an image from 'pypi'",
    ],
    [
      'an image of a registry',
      { image: { source: 'oci', reference: 'example.org/test:1' } },
      "needs an image from 'oci'",
    ],
  ])('refuses an unsupported feature by name: %s', (_feature, container, message) => {
    expect(checked(container)).toThrow(
      expect.objectContaining({
        code: 'host',
        message: expect.stringContaining(`tiny: service 'test' ${message}`),
        hint: "remove 'test' from 'services' in hosts/tiny.ts",
      }),
    )
  })

  it('accepts an image of npm packages', () => {
    const image = { source: 'npm', folder: 'overlays/services/test' } as const
    expect(checked({ image, user: 'alertmanager' })).not.toThrow()
  })

  it('refuses a volume that both slots share, which is not supported yet', () => {
    const volumes = { models: { ...VOLUME, binding: 'shared' } } as const
    expect(checked({}, { volumes })).toThrow(
      "service 'test' needs the shared volume 'test-models': hangar does not support shared volumes yet",
    )
  })
})

describe('a port', () => {
  const listening = (number: number) => {
    const port: Port = { number, protocol: 'tcp', reach: 'lab', purpose: 'test', web: false }
    return checked({}, { ports: () => [port] })
  }

  it('refuses a port that two services use, and names both', () => {
    expect(listening(8883)).toThrow("tiny: 'mosquitto' and 'test' use the same port: 8883/tcp")
  })

  it('refuses a port that the host itself uses, and names its purpose', () => {
    expect(listening(22)).toThrow("tiny: the host (ssh) and 'test' use the same port: 22/tcp")
  })
})

describe('a user', () => {
  it('refuses a user that two services share', () => {
    expect(checked({ user: 'mosquitto' })).toThrow("tiny: 'mosquitto' and 'test' use the same user: mosquitto")
  })

  it('one user may run several containers of the same service', () => {
    const memory = { server: '16 MiB', worker: '16 MiB' }
    expect(checked({}, { memory, containers: () => ({ server: CONTAINER, worker: CONTAINER }) })).not.toThrow()
  })
})

describe('a name', () => {
  it('refuses a container name that is not unique on the host', () => {
    const { services, offers } = testServices(MOSQUITTO)
    const [mosquitto] = services
    if (mosquitto === undefined) throw new Error('the host has no service')
    const other = { ...mosquitto, name: 'other' }
    expect(() => checkServices('tiny', { services: [mosquitto, other], offers })).toThrow(
      "tiny: 'mosquitto' and 'other' use the same container name: mosquitto",
    )
  })

  it.each(['var', 'keep'])("refuses a volume named '%s', a name that the host uses itself", (name) => {
    const changes = { name, volumes: { [name]: VOLUME }, memory: '16 MiB' }
    expect(checked({}, changes)).toThrow(`tiny: the host and '${name}' use the same volume name: ${name}`)
  })
})

describe('a connection to another service', () => {
  const using = (service: string, port: number) => checked({ uses: [{ service, port }] })

  it('a connection may go to a port of a service of the host, or of the host itself', () => {
    expect(using('mosquitto', 8883)).not.toThrow()
    expect(using('host', 9100)).not.toThrow()
  })

  it('refuses a connection to a service that the host does not run', () => {
    expect(using('grafana', 3000)).toThrow(
      expect.objectContaining({
        message: "tiny: service 'test' uses port 3000 of 'grafana', but the host does not run 'grafana'",
        hint: "add 'grafana' to 'services' in hosts/tiny.ts, or remove 'test'",
      }),
    )
  })

  it('refuses a connection to a port on which the service does not listen', () => {
    expect(using('mosquitto', 8883)).toThrow(
      "service 'test' uses port 8883 of 'mosquitto', but 'mosquitto' does not listen on it",
    )
  })
})
