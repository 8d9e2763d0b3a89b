import { describe, expect, it } from 'vitest'
import { BASE, imageOf, npmRequests, renderPi, setsOf } from '../../../../hosts/platforms/pi/image-of.ts'
import type { ImageContext, Locked } from '../../../../hosts/platforms/platform.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import { derivationDigest } from '../../../../images/derivation.ts'
import { digestOf } from '../../../../images/digest.ts'
import type { NpmPackage } from '../../../../images/npm/npm-package.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import type { Part } from '../../../../images/sbom/part.ts'
import type { Host } from '../../../../overlays/host-facts.ts'
import { lockedPackage } from '../../../helpers/derivation.ts'
import { deviceTexts } from '../../../helpers/device-texts.ts'
import { testHost } from '../../../helpers/host.ts'
import { testIntegrity } from '../../../helpers/npm-lock.ts'
import { publicLine } from '../../../helpers/public-line.ts'
import { withTestService } from '../../../helpers/test-service.ts'

const NEXT = publicLine(4, 'next')

const STEPS = ['base', 'kernel', 'initramfs', 'container', 'host', 'sbom']

function context(given: Partial<ImageContext> = {}): ImageContext {
  return {
    builder: 'amd64',
    steps: Object.fromEntries(STEPS.map((name) => [name, `// ${name}`])),
    deviceFiles: deviceTexts(),
    sshKeys: ['ssh-ed25519 AAAA owner'],
    time: 1_700_000_000,
    signingKeys: [],
    // Each locked package has the name of the request, so that the tests can tell sets apart.
    locked: (({ set, architecture }: ArchitectureSet) =>
      [...set.request, ...(VERSIONED[set.name] ?? [])].map((name) =>
        lockedPackage(name.split('/')[0] ?? '', { architecture }),
      )) as unknown as Locked,
    ...given,
  }
}

/** Packages that have the kernel's version in their name. */
const VERSIONED: Readonly<Record<string, readonly string[]>> = {
  kernel: ['linux-image-7.3.4-arm64'],
  native: ['linux-headers-7.3.4-arm64'],
  cross: ['linux-kbuild-7.3.4'],
}

const image = (host: Host = testHost(), given: Partial<ImageContext> = {}) => imageOf(renderPi(host), context(given))
const digests = (host?: Host, given?: Partial<ImageContext>) =>
  Object.fromEntries(image(host, given).layers.map(({ name, derivation }) => [name, derivationDigest(derivation)]))

/** The names of the layers that differ between two images. */
function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
}

describe('setsOf', () => {
  const keys = (builder: Architecture) => setsOf(renderPi(testHost()), builder).map(setKey)

  it("returns package sets for the board, and the tools and a base for the builder's architecture", () => {
    expect(keys('amd64')).toEqual([
      ...[
        'toolchain:amd64',
        'base:arm64',
        'base:amd64',
        'kernel:arm64',
        'initramfs:arm64',
        'native:arm64',
        'cross:amd64',
      ],
      ...['container/mosquitto:arm64', 'container/prometheus:arm64'],
    ])
  })

  it('returns the package set of the base once if builder and board have the same architecture', () => {
    expect(keys('arm64').filter((key) => key.startsWith('base'))).toEqual(['base:arm64'])
  })

  it('leaves packages out of containers if only maintainer scripts need them', () => {
    const container = setsOf(renderPi(testHost()), 'amd64').find(({ set }) => set.name === 'container/mosquitto')?.set
    expect(container).toMatchObject({ request: ['mosquitto', 'mosquitto-clients'], essential: 'left-out' })
    expect(container?.assumed).toContain('perl-base')
    expect(BASE.assumed).toEqual([])
  })
})

describe('the image of a Pi', () => {
  it('the image of a Pi has the layer that changes most often last', () => {
    const names = image().layers.map(({ name }) => name)
    expect(names).toEqual(['base', 'kernel', 'container-mosquitto', 'container-prometheus', 'host'])
  })

  it('the image of a Pi names the boot files as the firmware expects', () => {
    expect(Object.keys(image().bootFiles)).toEqual([
      ...['kernel_2712.img', 'initramfs.img', 'bcm2712-rpi-5-b.dtb'],
      ...['bcm2712-d-rpi-5-b.dtb', 'bcm2712d0-rpi-5-b.dtb', 'config.txt'],
    ])
  })

  it('the serial of an image is the lock time and the number of the host file', () => {
    expect(image(testHost({ number: 4 })).serial).toEqual({ time: 1_700_000_000, number: 4 })
  })

  it('the image of a Pi lists the versions of the main packages', () => {
    const { versions } = image()
    expect(versions).toMatchObject({ 'linux-image-arm64': '1.0-1', podman: '1.0-1', mosquitto: '1.0-1' })
    expect(versions).not.toHaveProperty('tzdata')
  })

  it('the image of a Pi is the same each time', () => {
    expect(digests()).toEqual(digests())
  })
})

describe('a change of', () => {
  const before = digests()

  it.each<[string, Partial<Parameters<typeof testHost>[0]>, string[]]>([
    [
      "a service's configuration",
      { services: { ...services(), mosquitto: { memory: '64 MiB', maxPacketSize: 99 } } },
      ['host'],
    ],
    ["a service's limits", { services: { ...services(), mosquitto: { memory: '65 MiB' } } }, ['host']],
    ['the address', { network: { address: '192.0.2.11/24', gateway: '192.0.2.1' } }, ['host']],
    // The layer contains the serial, because the host refuses images with a smaller serial.
    ['the number', { number: 2 }, ['host']],
    ['the disk', { disk: '64 GB' }, []],
    ['the services', { services: { mosquitto: services().mosquitto } }, ['container-prometheus', 'host']],
  ])('a change of %s changes only the layers that contain it', (_what, changes, layers) => {
    expect(changed(before, digests(testHost(changes)))).toEqual(layers)
  })

  it("a change of the owner's keys or of a device script changes the host layer only", () => {
    expect(changed(before, digests(testHost(), { sshKeys: ['ssh-ed25519 BBBB owner'] }))).toEqual(['host'])
    expect(changed(before, digests(testHost(), changedFile('system/identity.sh')))).toEqual(['host'])
  })

  it('a change of the keys that may sign updates changes the host layer only', () => {
    expect(changed(before, digests(testHost(), { signingKeys: ['ssh-ed25519 DDDD signing'] }))).toEqual(['host'])
    const next = testHost({ updates: { signingKeys: [NEXT] } })
    expect(changed(before, digests(next))).toEqual(['host'])
    expect(image(next).signingKeys).toEqual([...context().signingKeys, NEXT])
  })

  it("a change of a program's source changes only the layer that contains the program", () => {
    const layersOf = (path: string) => changed(before, digests(testHost(), changedFile(path)))
    expect(layersOf('blocks/main.c')).toEqual(['host'])
    expect(layersOf('tryboot-module/Kbuild')).toEqual(['kernel'])
    expect(layersOf('tryboot-module/hangar_tryboot.c')).toEqual(['kernel'])
  })

  it('a change of a script that is also in the initramfs changes the initramfs', () => {
    for (const name of ['record', 'tryboot']) {
      const given = changedFile(`agent/${name}.sh`)
      expect(changed(before, digests(testHost(), given))).toEqual(['host'])
      expect(initramfsOf(image(testHost(), given))).not.toBe(initramfsOf(image()))
    }
    expect(initramfsOf(image(testHost(), changedFile('system/identity.sh')))).toBe(initramfsOf(image()))
  })

  it('a change of the init script changes the initramfs and no layer', () => {
    const init = changedFile('initramfs/init')
    expect(changed(before, digests(testHost(), init))).toEqual([])
    expect(initramfsOf(image(testHost(), init))).not.toBe(initramfsOf(image()))
  })
})

describe("an image's SBOM", () => {
  const partsIn = ({ sbom }: ReturnType<typeof image>) => {
    const input = sbom.inputs['parts.json']
    if (input === undefined || !('bytes' in input)) throw new Error('parts.json is not text')
    return JSON.parse(input.bytes) as Part[]
  }
  const namesOf = (parts: readonly Part[], kind: Part['kind']) =>
    [...new Set(parts.filter((part) => part.kind === kind).map(({ name }) => name))].sort()

  it("an image's SBOM covers every layer and every boot file", () => {
    const parts = partsIn(image())
    expect(namesOf(parts, 'layer')).toEqual(
      image()
        .layers.map(({ name }) => name)
        .sort(),
    )
    expect(namesOf(parts, 'boot')).toEqual([...Object.keys(image().bootFiles), 'cmdline.txt'].sort())
  })

  it("an image's SBOM reads the packages from the derivations that unpacked them", () => {
    const stated = Object.keys(image().sbom.inputs).filter((path) => path.startsWith('stated/'))
    expect(stated.sort()).toEqual([
      ...['stated/base.json', 'stated/container-mosquitto.json', 'stated/container-prometheus.json'],
      ...['stated/initramfs.json', 'stated/kernel.json'],
    ])
  })

  it("an image's SBOM changes with packages and programs, and not with configuration", () => {
    const sbom = (host?: Host, given?: Partial<ImageContext>) => derivationDigest(image(host, given).sbom)
    expect(sbom(testHost({ services: { ...services(), mosquitto: { memory: '64 MiB', maxPacketSize: 99 } } }))).toBe(
      sbom(),
    )
    expect(sbom(testHost({ services: { mosquitto: services().mosquitto } }))).not.toBe(sbom())
    expect(sbom(testHost(), changedFile('blocks/main.c'))).not.toBe(sbom())
  })
})

function changedFile(path: string): Partial<ImageContext> {
  return { deviceFiles: { ...deviceTexts(), [path]: '# changed\n' } }
}

function services() {
  return { mosquitto: { memory: '64 MiB', cpus: 0.5 }, prometheus: { memory: '256 MiB' } }
}

function initramfsOf({ bootFiles }: ReturnType<typeof image>): string {
  const input = bootFiles['initramfs.img']
  if (input === undefined || !('from' in input)) throw new Error('no derivation builds the initramfs')
  return derivationDigest(input.from)
}

describe('a container of npm packages', () => {
  const rendered = {
    host: testHost(),
    services: withTestService({
      containers: () => ({
        test: {
          image: { source: 'npm', folder: 'overlays/services/test' },
          user: 'mosquitto',
          command: ['/usr/bin/node'],
          health: { command: ['/usr/bin/true'], interval: 30 },
        },
      }),
    }),
  }
  const app: NpmPackage = {
    ...{ source: 'npm', package: '@lab/app', version: '1.0.0', path: '@lab/app/-/app-1.0.0.tgz', size: 1 },
    ...{ sha256: digestOf('app'), integrity: testIntegrity('app'), locations: ['node_modules/@lab/app'], bin: {} },
    ...{ license: 'MIT', node: '>=18', use: 'direct', bundled: [] },
  }
  const imageWith = (node: string, debian = '20.19.2+dfsg-1') =>
    imageOf(
      rendered,
      context({
        locked: ((request: ArchitectureSet | { source: 'npm' }) => {
          if (request.source === 'npm') return [{ ...app, node }]
          const packages = context().locked(request as ArchitectureSet)
          return packages.map((each) => (each.package === 'nodejs' ? { ...each, version: debian } : each))
        }) as unknown as Locked,
      }),
    )

  it("requests the folder's packages, beside the Debian packages of the same container", () => {
    const [request] = npmRequests(rendered)
    expect(request).toMatchObject({ source: 'npm', folder: 'overlays/services/test' })
    const set = setsOf(rendered, 'amd64').find((each) => each.set.name === 'container/test')
    expect(set?.set.request).toEqual(['nodejs'])
    expect(request?.beside).toEqual(set)
    expect(npmRequests(renderPi(testHost()))).toEqual([])
  })

  it('has the tarballs, and the list of what to unpack where, as inputs', () => {
    const layer = imageWith('>=18').layers.find(({ name }) => String(name) === 'container-test')
    const inputs = layer?.derivation.inputs ?? {}
    const { locations: _, bin: __, license: ___, node: ____, use: _____, bundled: ______, ...file } = app
    expect(inputs['npm/@lab+app@1.0.0.tgz']).toEqual({ locked: file })
    const list = inputs['npm.json']
    expect(JSON.parse(list !== undefined && 'bytes' in list ? list.bytes : '')).toEqual([
      { file: 'npm/@lab+app@1.0.0.tgz', locations: ['node_modules/@lab/app'], bin: {}, use: 'direct' },
    ])
    const other = image().layers.find(({ name }) => String(name) === 'container-mosquitto')
    expect(Object.keys(other?.derivation.inputs ?? {}).filter((path) => path.startsWith('npm'))).toEqual([])
  })

  it('is in the SBOM with its npm packages', () => {
    const input = imageWith('>=18').sbom.inputs['parts.json']
    const parts = JSON.parse(input !== undefined && 'bytes' in input ? input.bytes : '[]') as Part[]
    expect(parts.filter(({ npm }) => npm !== undefined).map(({ name }) => name)).toEqual(['container-test'])
    expect(parts.find(({ name }) => name === 'container-test')?.npm).toMatchObject([{ package: '@lab/app' }])
  })

  it("refuses a package that excludes Debian's Node.js, also if the lock is older than that Node.js", () => {
    expect(() => imageWith('<20')).toThrow(
      "'overlays/services/test/package-lock.json': '@lab/app@1.0.0' needs Node.js '<20', Debian's package has 20.19.2",
    )
    expect(() => imageWith('<20', '18.20.4+dfsg-1')).not.toThrow()
  })
})
