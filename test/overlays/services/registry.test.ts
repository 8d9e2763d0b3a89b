import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostTree } from '../../../overlays/host-tree.ts'
import { quadlet } from '../../../overlays/quadlet.ts'
import { renderedServices, type ServiceOnHost } from '../../../overlays/rendered.ts'
import { findService, SERVICES } from '../../../overlays/services/registry.ts'
import { deviceTexts } from '../../helpers/device-texts.ts'
import { testHost } from '../../helpers/host.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

const NAMES = Object.keys(SERVICES)

/** A host that runs everything there is, with every option left out. */
const everything = testHost({
  memory: '8 GiB',
  services: Object.fromEntries(NAMES.map((name) => [name, { memory: '64 MiB' }])),
})
const services = renderedServices(everything).map((each) => [each.kind.name, each] as const)

const unitOf = ({ settings, kind, rendered }: ServiceOnHost) => quadlet(settings, kind.about, rendered).split('\n')
const valuesOf = (lines: readonly string[], key: string) =>
  lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1))

describe('the registry', () => {
  it('has every folder of overlays/services, and nothing else', () => {
    const folders = readdirSync(join(PROJECT, 'overlays/services'), { withFileTypes: true })
    expect(NAMES.toSorted()).toEqual(
      folders
        .filter((each) => each.isDirectory())
        .map(({ name }) => name)
        .sort(),
    )
  })

  it('has every service under its own name', () => {
    for (const name of NAMES) expect(findService(name)?.name).toBe(name)
  })

  it.each(['', 'mosquito', 'constructor', '__proto__'])('knows no service %j', (name) => {
    expect(findService(name)).toBeUndefined()
  })
})

describe.each(services)('%s', (name, service) => {
  const lines = unitOf(service)
  const value = (key: string) => valuesOf(lines, key)

  it('needs no option in the host file', () => {
    expect(service.settings.options).toEqual(service.kind.options.parse({}))
  })

  it('runs the image that is baked in, and nothing that is pulled', () => {
    expect(value('Image')).toEqual([`localhost/hangar/${name}:latest`])
    expect(value('Pull')).toEqual(['never'])
  })

  it('counts as started when it is healthy, and is started again when it no longer is', () => {
    expect(value('Notify')).toEqual(['healthy'])
    expect(value('HealthOnFailure')).toEqual(['kill'])
    expect(value('Restart')).toEqual(['always'])
    expect(service.rendered.health.command[0]).toMatch(/^\//)
  })

  it('has limits of memory and processor time', () => {
    expect(value('PodmanArgs')[0]).toContain('--memory=64m --memory-swap=64m --cpus=1 ')
    expect(value('MemoryMax')[0]).toMatch(/^\d+M$/)
    expect(value('CPUQuota')[0]).toMatch(/^\d+%$/)
  })

  it('runs as a user of its own without any privilege', () => {
    expect(Number(value('User')[0])).toBeGreaterThan(100)
    expect(value('Group')).toEqual(value('User'))
    expect(value('DropCapability')).toEqual(['all'])
    expect(value('NoNewPrivileges')).toEqual(['true'])
    expect(value('AddCapability')).toEqual([])
  })

  it('can write to its data and a little memory only', () => {
    expect(value('ReadOnly')).toEqual(['true'])
    const writable = value('Volume').filter((volume) => !volume.endsWith(':ro'))
    expect(writable).toEqual([`/run/hangar/data/${name}:${service.rendered.data}`])
  })

  it('starts after the data volume, and not without it', () => {
    expect(value('After')).toEqual(['hangar-data.service'])
    expect(value('ConditionPathExists')).toEqual(['!/run/hangar/data-failed'])
  })

  it('has each file that it mounts in the host layer', () => {
    const tree = hostTree(everything, { deviceFiles: deviceTexts(), sshKeys: [], signingKeys: [], time: 0 })
    for (const volume of value('Volume').filter((each) => each.endsWith(':ro')))
      expect(tree[volume.split(':')[0] ?? '']).toMatchObject({ kind: 'file', mode: 0o644 })
    expect(tree[`/usr/share/containers/systemd/${name}.container`]).toMatchObject({ content: lines.join('\n') })
  })

  it('answers where it says it is measured', () => {
    const metrics = service.kind.metrics(service.settings.options)
    if (metrics !== undefined) expect(service.ports.map(({ number }) => number)).toContain(metrics.port)
  })
})
