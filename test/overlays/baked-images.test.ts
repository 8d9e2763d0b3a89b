import { describe, expect, it } from 'vitest'
import { file } from '../../images/tree.ts'
import { type BakedImage, bakedImages } from '../../overlays/baked-images.ts'
import { renderServices } from '../../overlays/host-services.ts'
import { testHost, testServices } from '../helpers/host.ts'
import { withTestService } from '../helpers/test-service.ts'

const HEALTH = { command: ['/bin/true'], interval: 30 } as const

const [mosquitto, prometheus] = bakedImages(renderServices(testHost()))

const textOf = (image: BakedImage | undefined, path: string) => {
  const entry = image?.tree[path]
  return entry?.kind === 'file' ? String(entry.content) : undefined
}

describe('bakedImages', () => {
  it('makes an image of its own packages for each service', () => {
    expect(mosquitto).toMatchObject({ name: 'mosquitto', packages: ['mosquitto', 'mosquitto-clients'] })
    expect(prometheus).toMatchObject({ name: 'prometheus', packages: ['prometheus', 'busybox-static'] })
  })

  it('has a mount point in the read-only root for every mount', () => {
    for (const path of ['/tmp', '/proc', '/sys', '/dev', '/run', '/data'])
      expect(mosquitto?.tree[path]).toMatchObject({ kind: 'directory' })
    expect(textOf(mosquitto, '/etc/mosquitto/mosquitto.conf')).toBe('')
    expect(textOf(prometheus, '/etc/prometheus/rules.yml')).toBe('')
  })

  it("lists root, nobody and the container's user in passwd, and no other user", () => {
    const users = textOf(mosquitto, '/etc/passwd')
      ?.split('\n')
      .map((line) => line.split(':').slice(0, 3).join(':'))
    expect(users).toEqual(['root:x:0', 'mosquitto:x:120', 'nobody:x:65534', ''])
  })

  it('a container image does not depend on the configuration of the service', () => {
    const services = { mosquitto: { memory: '64 MiB', maxPacketSize: 77 } }
    expect(bakedImages(testServices(services))).toEqual([mosquitto])
  })

  it('makes one image for containers that share it, with the mount points of all of them', () => {
    const image = { source: 'debian', packages: ['app'], tree: {} } as const
    const container = { image, user: 'mosquitto', command: ['/bin/true'], health: HEALTH }
    const text = { kind: 'text', text: '' } as const
    const services = withTestService({
      memory: { server: '64 MiB', worker: '64 MiB' },
      containers: () => ({
        server: { ...container, files: { '/etc/server.conf': text } },
        worker: { ...container, files: { '/etc/worker.conf': text } },
      }),
    })
    const images = bakedImages(services)
    expect(images.map(({ name }) => name)).toEqual(['test'])
    expect(Object.keys(images[0]?.tree ?? {})).toEqual(expect.arrayContaining(['/etc/server.conf', '/etc/worker.conf']))
  })

  it("an image of npm packages has Debian's Node.js, and the folder that names the packages", () => {
    const image = { source: 'npm', folder: 'overlays/services/test' } as const
    const services = (given: object) =>
      withTestService({
        containers: () => ({
          test: { image: { ...image, ...given }, user: 'mosquitto', command: ['/usr/bin/node'], health: HEALTH },
        }),
      })
    const [plain] = bakedImages(services({}))
    expect(plain).toMatchObject({ name: 'test', packages: ['nodejs'], npm: 'overlays/services/test' })
    const [more] = bakedImages(services({ packages: ['busybox-static'], tree: { '/etc/x': file('x') } }))
    expect(more).toMatchObject({ packages: ['nodejs', 'busybox-static'] })
    expect(textOf(more, '/etc/x')).toBe('x')
    expect(plain?.assumed).toEqual(['node-corepack', 'openssl'])
    const [own] = bakedImages(services({ assumed: ['logrotate'], withoutScripts: { dbus: 'makes an id' } }))
    expect(own).toMatchObject({ assumed: ['node-corepack', 'openssl', 'logrotate'], withoutScripts: ['dbus'] })
    expect(mosquitto).not.toHaveProperty('npm')
  })

  it('names each program that a container starts, for itself and for its health check', () => {
    expect(mosquitto?.programs).toEqual([
      { container: 'mosquitto', program: '/usr/sbin/mosquitto', libraryPath: [] },
      { container: 'mosquitto', program: '/usr/bin/mosquitto_sub', libraryPath: [] },
    ])
  })

  it('names the modules of npm packages among the arguments of a program', () => {
    const red = '/app/node_modules/node-red/red.js'
    const services = withTestService({
      containers: () => ({
        test: {
          image: { source: 'npm', folder: 'overlays/services/test' },
          user: 'mosquitto',
          command: ['/usr/bin/node', '--max-old-space-size=256', red, '--settings', '/data/settings.js'],
          health: { command: ['/usr/bin/node', '/app/node_modules/check/index.js'], interval: 30 },
        },
      }),
    })
    const node = { container: 'test', program: '/usr/bin/node', libraryPath: [] }
    expect(bakedImages(services)[0]?.programs).toEqual([
      { ...node, modules: [red] },
      { ...node, modules: ['/app/node_modules/check/index.js'] },
    ])
  })

  it('names the interpreter of a mounted script, which is not part of the image, and LD_LIBRARY_PATH', () => {
    const services = withTestService({
      containers: () => ({
        test: {
          image: { source: 'debian', packages: ['app'], tree: {} },
          user: 'mosquitto',
          command: ['/etc/start'],
          environment: { LD_LIBRARY_PATH: '/opt/a:/opt/b' },
          files: { '/etc/start': { kind: 'text', text: '#!/usr/bin/env python3\nprint()\n' } },
          health: { command: ['/etc/start'], interval: 30 },
        },
      }),
    })
    const libraryPath = ['/opt/a', '/opt/b']
    expect(bakedImages(services)[0]?.programs).toEqual([
      { container: 'test', program: '/usr/bin/env', libraryPath },
      { container: 'test', program: 'python3', libraryPath },
    ])
  })

  it('throws for a source that the checks should have refused', () => {
    const services = withTestService({
      containers: () => ({
        test: {
          image: { source: 'oci', reference: 'example.org/test:1' },
          user: 'mosquitto',
          command: [],
          health: HEALTH,
        },
      }),
    })
    expect(() => bakedImages(services)).toThrow("cannot build an image from 'oci'")
  })
})
