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
    const health = { command: ['/bin/true'], interval: 30 } as const
    const container = { image, user: 'mosquitto', command: ['/bin/true'], health }
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
    expect(mosquitto).not.toHaveProperty('npm')
  })

  it('throws for a source that the checks should have refused', () => {
    const services = withTestService({
      containers: () => ({
        test: {
          image: { source: 'oci', reference: 'example.org/test:1' },
          user: 'mosquitto',
          command: [],
          health: { command: ['/bin/true'], interval: 30 },
        },
      }),
    })
    expect(() => bakedImages(services)).toThrow("cannot build an image from 'oci'")
  })
})
