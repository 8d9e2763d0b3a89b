import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HostFile } from '../../../hosts/schema/host.ts'
import { isJob } from '../../../overlays/container.ts'
import { renderServices } from '../../../overlays/host-services.ts'
import { hostTree } from '../../../overlays/host-tree.ts'
import { quadlet } from '../../../overlays/quadlet.ts'
import { findService, SERVICES } from '../../../overlays/services/registry.ts'
import { ANY_CERTIFICATES } from '../../helpers/any-certificates.ts'
import { ANY_SECRETS } from '../../helpers/any-secrets.ts'
import { deviceTexts } from '../../helpers/device-texts.ts'
import { everyService, REQUIRED_OPTIONS, testHost } from '../../helpers/host.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const NAMES = Object.keys(SERVICES)

/** A host that runs all services with all of their containers. */
const everything = testHost({ memory: '8 GiB', services: everyService() })
const rendered = renderServices(everything)
const tree = hostTree(everything, rendered, {
  deviceFiles: deviceTexts(),
  sshKeys: [],
  signingKeys: [],
  secrets: ANY_SECRETS,
  time: 0,
  certificates: ANY_CERTIFICATES,
})

const services = rendered.services.map((each) => [each.name, each] as const)
const containers = rendered.services.flatMap((service) =>
  service.containers.map((each) => [each.name, each, service] as const),
)

describe('the registry', () => {
  it('the registry has every folder of overlays/services, and nothing else', () => {
    const folders = readdirSync(join(PROJECT, 'overlays/services'), { withFileTypes: true })
    expect(NAMES.toSorted()).toEqual(
      folders
        .filter((each) => each.isDirectory())
        .map(({ name }) => name)
        .sort(),
    )
  })

  it('the registry has every service under its own name', () => {
    for (const name of NAMES) expect(findService(name)?.name).toBe(name)
  })

  it.each(['', 'mosquito', 'constructor', '__proto__'])('the registry has no service %j', (name) => {
    expect(findService(name)).toBeUndefined()
  })

  it("the registry has no service named 'host', because 'host' means the host itself", () => {
    expect(NAMES).not.toContain('host')
  })
})

describe.each(services)('service %s', (name, service) => {
  it('the service needs no option in the host file, except those that only the owner knows', () => {
    const required = REQUIRED_OPTIONS[name] ?? {}
    const { memory } = findService(name) ?? {}
    const [settings] = testHost({ services: { [name]: { memory, ...required } } as HostFile['services'] }).services
    expect(settings?.options).toEqual(findService(name)?.options.parse(required))
    const missing = findService(name)?.options.safeParse({}).error?.issues ?? []
    expect(missing.map(({ path }) => path.join('.'))).toEqual(Object.keys(required))
  })

  it('the service listens on the ports of its metrics', () => {
    const numbers = service.ports.map(({ number }) => number)
    expect(service.metrics.filter(({ port }) => !numbers.includes(port))).toEqual([])
  })

  it('the service describes every option', () => {
    const shape = findService(name)?.options.shape ?? {}
    const unclear = Object.entries(shape).filter(([, option]) => !option.description?.endsWith('.'))
    expect(unclear.map(([option]) => option)).toEqual([])
  })
})

describe.each(services)('the containers of service %s', (name, { containers }) => {
  it('the containers have CA certificates if an option is a URL, which may begin with https', () => {
    const shape = findService(name)?.options.shape ?? {}
    const hasUrl = Object.values(shape).some((option) => option.meta()?.format === 'uri')
    const images = containers.map(({ image }) => (image.source === 'debian' ? image.packages : []))
    expect(!hasUrl || images.every((packages) => packages.includes('ca-certificates'))).toBe(true)
    // Negative control: the rule applies to alertmanager's webhook.
    if (name === 'alertmanager') expect(hasUrl).toBe(true)
  })
})

/** The containers with a right of root, and the right. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = { caddy: ['NET_BIND_SERVICE'] }

describe.each(containers)('container %s', (name, container, service) => {
  const text = quadlet(container)
  const value = (key: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${key}=`))
      .map((line) => line.slice(key.length + 1))

  it('the container runs an image of the slot, and pulls none', () => {
    expect(value('Image')).toEqual([`localhost/hangar/${container.imageName}:latest`])
    expect(value('Pull')).toEqual(['never'])
  })

  it('the container counts as started when it is healthy, and restarts when it is unhealthy; or a timer starts it', () => {
    if (isJob(container.health)) {
      expect([value('Type'), value('Notify'), value('Restart'), value('WantedBy')]).toEqual([['oneshot'], [], [], []])
      expect(tree[`/etc/systemd/system/timers.target.wants/${name}.timer`]).toMatchObject({ kind: 'symlink' })
      return
    }
    expect(value('Notify')).toEqual(['healthy'])
    expect(value('HealthOnFailure')).toEqual(['kill'])
    expect(value('Restart')).toEqual(['always'])
    expect(container.health.command[0]).toMatch(/^\//)
  })

  it('the container has limits of memory and processor time', () => {
    expect(value('PodmanArgs')[0]).toContain('--memory=64m --memory-swap=64m --cpus=1 ')
    expect(value('MemoryMax')[0]).toMatch(/^\d+M$/)
    expect(value('CPUQuota')[0]).toMatch(/^\d+%$/)
  })

  it('the container runs as a user of its own without privileges', () => {
    expect(Number(value('User')[0])).toBeGreaterThan(100)
    expect(value('Group')).toEqual(value('User'))
    expect(value('DropCapability')).toEqual(['all'])
    expect(value('NoNewPrivileges')).toEqual(['true'])
    expect(value('AddCapability')).toEqual(CAPABILITIES[name] ?? [])
  })

  it('the container can write only to its volumes and to /tmp', () => {
    expect(value('ReadOnly')).toEqual(['true'])
    const writable = value('Volume').filter((volume) => !volume.endsWith(':ro'))
    const owned = service.volumes.filter(({ owner }) => owner === container.user).map((each) => each.name)
    const volumes = Object.entries(container.volumes).filter(([, volume]) => owned.includes(volume))
    expect(writable.sort()).toEqual(volumes.map(([path, volume]) => `/run/hangar/data/${volume}:${path}`).sort())
  })

  it('the container starts only after the data volume is mounted', () => {
    expect(value('After')).toContain('hangar-data.service')
    expect(value('ConditionPathExists')).toContain('!/run/hangar/data-failed')
  })

  it('the host layer contains each file that the container mounts', () => {
    for (const volume of value('Volume').filter((each) => each.endsWith(':ro') && each.startsWith('/usr/')))
      expect(tree[volume.split(':')[0] ?? '']).toMatchObject({ kind: 'file', mode: 0o644 })
    expect(tree[`/usr/share/containers/systemd/${name}.container`]).toMatchObject({ content: text })
  })
})
