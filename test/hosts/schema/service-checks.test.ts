import { describe, expect, it } from 'vitest'
import { checkServices } from '../../../hosts/schema/service-checks.ts'
import { parseHostName } from '../../../images/names.ts'
import type { ContainerDefinition } from '../../../overlays/container.ts'
import type { Port } from '../../../overlays/offer.ts'
import type { Service, Volume } from '../../../overlays/service.ts'
import { SERVICES } from '../../../overlays/services/registry.ts'
import { testServices } from '../../helpers/host.ts'
import { withTestService } from '../../helpers/test-service.ts'

const CONTAINER: ContainerDefinition = {
  image: { source: 'debian', packages: ['coreutils'], tree: {} },
  // No service of the registry runs as this user.
  user: 'sshd',
  command: ['/usr/bin/true'],
  health: { command: ['/usr/bin/true'], interval: 30 },
}
const HOST = parseHostName('tiny')
const MOSQUITTO = { mosquitto: { memory: '64 MiB' } }
const VOLUME: Volume = { about: 'test', binding: 'slot', owner: 'sshd', backup: { kind: 'files' } }

/** Checks a host that runs mosquitto and the test service. */
const checked = (container: Partial<ContainerDefinition>, changes: Partial<Service> = {}) => {
  const services = withTestService(
    { containers: () => ({ [changes.name ?? 'test']: { ...CONTAINER, ...container } }), ...changes },
    MOSQUITTO,
  )
  return () => checkServices(HOST, services)
}

describe('checkServices', () => {
  it('accepts all services of the registry on one host', () => {
    const all = Object.fromEntries(Object.keys(SERVICES).map((name) => [name, { memory: '16 MiB' }]))
    expect(() => checkServices(HOST, testServices(all))).not.toThrow()
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
    expect(listening(1883)).toThrow("tiny: 'mosquitto' and 'test' use the same port: 1883/tcp")
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
    const { services, ...lab } = testServices(MOSQUITTO)
    const [mosquitto] = services
    if (mosquitto === undefined) throw new Error('the host has no service')
    const other = { ...mosquitto, name: 'other' }
    expect(() => checkServices(HOST, { ...lab, services: [mosquitto, other] })).toThrow(
      "tiny: 'mosquitto' and 'other' use the same container name: mosquitto",
    )
  })

  it.each(['var', 'keep'])("refuses a volume named '%s', a name that the host uses itself", (name) => {
    const changes = { name, volumes: { [name]: VOLUME }, memory: '16 MiB' }
    expect(checked({}, changes)).toThrow(`tiny: the host and '${name}' use the same volume name: ${name}`)
  })
})
