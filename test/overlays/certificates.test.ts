import { describe, expect, it } from 'vitest'
import type { IssuedCertificates } from '../../images/certificates/need.ts'
import { parseHostName } from '../../images/names.ts'
import { certificatesOf } from '../../overlays/certificates.ts'
import type { ContainerDefinition } from '../../overlays/container.ts'
import { type HostServices, labOf } from '../../overlays/host-services.ts'
import { hostTree } from '../../overlays/host-tree.ts'
import { secretsOf } from '../../overlays/secrets.ts'
import type { CertificateDefinition, Service, ServiceContext } from '../../overlays/service.ts'
import { deviceTexts } from '../helpers/device-texts.ts'
import { linesAt, textAt } from '../helpers/file-tree.ts'
import { testHost } from '../helpers/host.ts'
import { withTestService } from '../helpers/test-service.ts'
import { userErrorOf } from '../helpers/user-error.ts'

const HOST = testHost()
const SERVER: CertificateDefinition = { about: 'a server', usages: ['server'] }
const CLIENT: CertificateDefinition = { about: 'a client', usages: ['client'] }
type Files = ContainerDefinition['files']

function servicesWith(
  certificates: Record<string, CertificateDefinition>,
  files: Files = {},
  changes: Partial<Service> = {},
) {
  const containers = () => ({
    test: {
      image: { source: 'debian', packages: ['coreutils'], tree: {} },
      user: 'mosquitto',
      command: ['/usr/bin/true'],
      files,
      health: { command: ['/usr/bin/true'], interval: 30 },
    } as ContainerDefinition,
  })
  return withTestService({ certificates: () => certificates, containers, ...changes })
}

const needsOf = (services: HostServices, lab = labOf(HOST)) => certificatesOf(HOST, services, lab)

describe('certificatesOf', () => {
  it('gives a server the names of its host, its service and the loopback, and all addresses', () => {
    expect(needsOf(servicesWith({ broker: SERVER }))).toEqual({
      ca: 'used',
      needs: [
        {
          ...{ host: 'tiny', subject: 'broker', usages: ['server'] },
          names: {
            dns: ['localhost', 'test.lab', 'tiny', 'tiny.lab'],
            addresses: ['127.0.0.1', '192.0.2.10', '::1'],
          },
        },
      ],
    })
  })

  it('adds the names that the service declares, each once', () => {
    const names = ['grafana.lab', '192.0.2.99', 'FD00::1'.toLowerCase(), 'tiny.lab']
    const [need] = needsOf(servicesWith({ proxy: { ...SERVER, names } })).needs
    expect(need?.names).toEqual({
      dns: ['grafana.lab', 'localhost', 'test.lab', 'tiny', 'tiny.lab'],
      addresses: ['127.0.0.1', '192.0.2.10', '192.0.2.99', '::1', 'fd00::1'],
    })
  })

  it('lets a service derive names from the whole lab', () => {
    const certificates = (_options: object, { lab }: ServiceContext) => ({
      proxy: { ...SERVER, names: lab.hosts.flatMap(({ offers }) => offers.map(({ name }) => `${name}.lab`)) },
    })
    const [need] = needsOf(servicesWith({}, {}, { certificates })).needs
    expect(need?.names.dns).toContain('host.lab')
  })

  it('gives a client no names, because servers identify it by its subject', () => {
    const [need] = needsOf(servicesWith({ client: CLIENT })).needs
    expect(need).toMatchObject({ usages: ['client'], names: { dns: [], addresses: [] } })
  })

  it('sorts the needs by subject', () => {
    const { needs } = needsOf(servicesWith({ zigbee: CLIENT, broker: SERVER }))
    expect(needs.map(({ subject }) => subject)).toEqual(['broker', 'zigbee'])
  })

  it('uses the CA for a host that only trusts it, and not for a host without certificates', () => {
    expect(needsOf(servicesWith({}, { '/etc/ca.pem': { kind: 'ca' } }))).toEqual({ ca: 'used', needs: [] })
    expect(needsOf(servicesWith({}))).toEqual({ ca: 'unused', needs: [] })
  })
})

describe('a certificate that hangar cannot issue', () => {
  it.each(['Broker', 'a.b', '', '-a', 'a-', 'a/b', '#', 'a'.repeat(33)])('has the invalid subject %j', (subject) => {
    const error = userErrorOf(() => servicesWith({ [subject]: SERVER }))
    expect(error).toMatchObject({
      code: 'host',
      message: expect.stringContaining("tiny: service 'test': invalid subject of a certificate: '"),
      hint: expect.stringContaining('at most 32 lower-case letters'),
    })
  })

  it.each(['*.lab', 'Grafana.lab', 'a b', 'https://x', 'lab.'])('has the invalid name %j', (name) => {
    const error = userErrorOf(() => needsOf(servicesWith({ proxy: { ...SERVER, names: [name] } })))
    expect(error.message).toContain(`tiny: service 'test': its certificate cannot have the name '${name}'`)
  })

  it.each(['certificate', 'certificate-key'] as const)(
    'is not declared, but a container has a file of kind %s',
    (kind) => {
      const files: Files = { '/etc/tls': { kind, subject: 'broker' } }
      expect(userErrorOf(() => servicesWith({ proxy: SERVER }, files))).toMatchObject({
        message:
          "tiny: service 'test': a container has a file of the certificate 'broker', which the service does not declare",
        hint: "declare it in 'certificates'; declared: proxy",
      })
    },
  )

  it('has the subject of another service of the host', () => {
    const { services, offers, lab } = servicesWith({ broker: SERVER })
    const [test] = services
    if (test === undefined) throw new Error('the host has no service')
    const error = userErrorOf(() => needsOf({ services: [test, { ...test, name: 'other' }], offers, lab }))
    expect(error.message).toBe("tiny: service 'other': it and 'test' have the same subject of a certificate: 'broker'")
  })

  it('may have the same file as a certificate of another host', () => {
    const lab = labOf(HOST)
    const named = (name: string) => ({
      ...lab,
      hosts: [...lab.hosts, { name: parseHostName(name), addresses: [], offers: [] }],
    })
    const services = servicesWith({ 'red-editor': SERVER })
    expect(userErrorOf(() => needsOf(services, named('tiny-red'))).message).toBe(
      "tiny: the certificate of 'red-editor' and certificates of 'tiny-red' may have the same file: 'hosts/certificates/tiny-red-editor.pem'",
    )
    expect(needsOf(services, named('tiny-blue')).needs).toHaveLength(1)
    expect(needsOf(services, named('tiny-re')).needs).toHaveLength(1)
  })
})

describe('the host layer', () => {
  const files: Files = {
    '/etc/tls/ca.pem': { kind: 'ca' },
    '/etc/tls/own.pem': { kind: 'certificate', subject: 'broker' },
    '/etc/tls/own.key': { kind: 'certificate-key', subject: 'broker' },
  }
  const certificates: IssuedCertificates = { ca: 'CA\n', issued: { broker: 'CERTIFICATE\n' } }
  const services = servicesWith({ broker: SERVER }, files)
  const assets = { deviceFiles: deviceTexts(), sshKeys: [], signingKeys: [], time: 0 }
  const secrets = { 'certificate-tiny-broker': 'CIPHERTEXT\n' }
  const tree = hostTree(HOST, services, { ...assets, secrets, certificates })

  it('contains certificates in clear text, and the private key as a secret', () => {
    const path = '/usr/share/hangar/services/test/etc/tls'
    expect([textAt(tree, `${path}/ca.pem`), textAt(tree, `${path}/own.pem`)]).toEqual(['CA\n', 'CERTIFICATE\n'])
    expect(Object.keys(tree)).not.toContain(`${path}/own.key`)
    const quadlet = linesAt(tree, '/usr/share/containers/systemd/test.container')
    expect(quadlet).toContain(`Volume=${path}/own.pem:/etc/tls/own.pem:ro`)
    expect(quadlet).toContain('Volume=/run/hangar/secrets/test/files/etc/tls/own.key:/etc/tls/own.key:ro')
    expect(quadlet).toContain('Requires=hangar-secrets.service')
  })

  it('needs the private key as a secret that hangar makes itself', () => {
    expect(secretsOf(services)).toEqual([
      {
        ...{ name: 'certificate-tiny-broker', service: 'test', value: { kind: 'issued' } },
        about: 'private key of the certificate tiny-broker',
        places: [{ kind: 'file', container: 'test', path: '/etc/tls/own.key' }],
      },
    ])
  })
})
