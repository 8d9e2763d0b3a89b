import { describe, expect, it } from 'vitest'
import { BASE, imageOf, setsOf } from '../../../../hosts/platforms/pi/image-of.ts'
import type { ImageContext, Locked } from '../../../../hosts/platforms/platform.ts'
import type { Architecture } from '../../../../images/architecture.ts'
import { derivationDigest } from '../../../../images/derivation.ts'
import { accounts } from '../../../../images/ids.ts'
import type { Image } from '../../../../images/image.ts'
import { containerLayer } from '../../../../images/layers/container/recipe.ts'
import { type ArchitectureSet, setKey } from '../../../../images/package-set.ts'
import type { Part } from '../../../../images/sbom/part.ts'
import { certificatesOf } from '../../../../overlays/certificates.ts'
import type { Host } from '../../../../overlays/host-facts.ts'
import { labOf } from '../../../../overlays/host-services.ts'
import { lockedPackage } from '../../../helpers/derivation.ts'
import { deviceTexts } from '../../../helpers/device-texts.ts'
import { renderAlone, testHost } from '../../../helpers/host.ts'
import { imageContext } from '../../../helpers/image-context.ts'
import { publicLine } from '../../../helpers/public-line.ts'
import { withTestService } from '../../../helpers/test-service.ts'

const NEXT = publicLine(4, 'next')

const image = (host: Host = testHost(), given: Partial<ImageContext> = {}) =>
  imageOf(renderAlone(host), imageContext(given))
const digestsOf = ({ layers }: Image) =>
  Object.fromEntries(layers.map(({ name, derivation }) => [name, derivationDigest(derivation)]))
const digests = (host?: Host, given?: Partial<ImageContext>) => digestsOf(image(host, given))

/** The names of the layers that differ between two images. */
function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
}

describe('setsOf', () => {
  const keys = (builder: Architecture) => setsOf(renderAlone(testHost()), builder).map(setKey)

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
      ...['container/mosquitto:arm64', 'container-scripts/mosquitto:arm64', 'container-scripts/mosquitto:amd64'],
      ...['container/prometheus:arm64', 'container-scripts/prometheus:arm64', 'container-scripts/prometheus:amd64'],
    ])
  })

  it('returns the sets whose scripts run once if builder and board have the same architecture', () => {
    const once = keys('arm64').filter((key) => /^(base|container-scripts.mosquitto)/.test(key))
    expect(once).toEqual(['base:arm64', 'container-scripts/mosquitto:arm64'])
  })

  it('leaves packages out of containers if only maintainer scripts need them', () => {
    const container = setsOf(renderAlone(testHost()), 'amd64').find(
      ({ set }) => set.name === 'container/mosquitto',
    )?.set
    expect(container).toMatchObject({ request: ['mosquitto', 'mosquitto-clients'], essential: 'left-out' })
    expect(container?.assumed).toContain('adduser')
    expect(BASE.assumed).toEqual([])
  })

  it('assumes no interpreter for a container, because a program could need it', () => {
    const sets = setsOf(renderAlone(testHost()), 'amd64').filter(({ set }) => set.name.startsWith('container/'))
    for (const { set } of sets)
      for (const name of ['perl', 'perl-base', 'python3', 'dash', 'bash']) expect(set.assumed).not.toContain(name)
  })

  it("runs a container's maintainer scripts with all their dependencies", () => {
    const scripts = setsOf(renderAlone(testHost()), 'amd64').find(
      ({ set }) => set.name === 'container-scripts/mosquitto',
    )
    const request = ['mosquitto', 'mosquitto-clients']
    expect(scripts?.set).toMatchObject({ request, essential: 'included', assumed: [] })
  })

  it('leaves out of a container what its service declares as not needed', () => {
    const host = testHost({ services: { alertmanager: { memory: '64 MiB' } } })
    const find = (name: string) => setsOf(renderAlone(host), 'amd64').find(({ set }) => set.name === name)?.set
    expect(find('container/alertmanager')?.assumed).toContain('openssl')
    expect(find('container/alertmanager')?.request).toContain('ca-certificates')
    expect(find('container-scripts/alertmanager')?.assumed).toEqual([])
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

  it('a renewed certificate changes the host layer only', () => {
    const services = withTestService({
      certificates: () => ({ test: { about: 'a server', usages: ['server'] } }),
      containers: () => ({
        test: {
          image: { source: 'debian', packages: ['coreutils'], tree: {} },
          user: 'mosquitto',
          command: ['/usr/bin/true'],
          files: { '/etc/ca.pem': { kind: 'ca' }, '/etc/own.pem': { kind: 'certificate', subject: 'test' } },
          health: { command: ['/usr/bin/true'], interval: 30 },
        },
      }),
    })
    const host = testHost()
    const rendered = { host, services, certificates: certificatesOf(host, services, labOf(host)) }
    const issued = (ca: string, own: string) =>
      digestsOf(imageOf(rendered, imageContext({ certificates: { ca, issued: { test: own } } })))
    const before = issued('CA 1', 'certificate 1')
    expect(changed(before, issued('CA 1', 'certificate 2'))).toEqual(['host'])
    expect(changed(before, issued('CA 1\nCA 2', 'certificate 1'))).toEqual(['host'])
    expect(changed(before, issued('CA 1', 'certificate 1'))).toEqual([])
  })

  it('a change of the keys that may sign updates changes the host layer only', () => {
    expect(changed(before, digests(testHost(), { signingKeys: ['ssh-ed25519 DDDD signing'] }))).toEqual(['host'])
    const next = testHost({ updates: { signingKeys: [NEXT] } })
    expect(changed(before, digests(next))).toEqual(['host'])
    expect(image(next).signingKeys).toEqual([...imageContext().signingKeys, NEXT])
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

describe('a container layer', () => {
  const lockedWith = (version: string) =>
    ((wanted: ArchitectureSet) => {
      const packages = imageContext().locked(wanted)
      return packages.map((each) => (wanted.set.name === 'container/mosquitto' ? { ...each, version } : each))
    }) as unknown as Locked

  it('is refused if the builder cannot run the scripts of the same version of a package', () => {
    const locked = lockedWith('2.0-1')
    expect(() => image(testHost(), { locked })).toThrow(
      "cannot build container 'mosquitto': its maintainer scripts run on the builder, which does not have the same version of: mosquitto 2.0-1 (arm64), mosquitto-clients 2.0-1 (arm64)",
    )
  })

  it('is refused if it leaves out the scripts of a package that it does not have', () => {
    const parts = { service: 'app', npm: [], tree: {}, programs: [], withoutScripts: ['ap', 'other'] }
    const packages = { target: [lockedPackage('app')], scripts: [lockedPackage('app', { architecture: 'amd64' })] }
    const toolchain = { name: 'build', architecture: 'amd64', packages: [] } as const
    const layers = { builder: 'amd64', target: 'arm64', toolchain, steps: { container: '' } } as const
    const make = (withoutScripts: readonly string[]) => () =>
      containerLayer(layers, { ...parts, packages, withoutScripts }, accounts())
    expect(make(['app'])).not.toThrow()
    expect(make(['ap', 'other'])).toThrow(
      expect.objectContaining({
        message: "container 'app' names packages in 'withoutScripts' that it does not have: ap, other",
        hint: "did you mean 'app'? correct the names in overlays/services",
      }),
    )
  })

  it('may have a rebuild of the same source (+b1)', () => {
    const locked = lockedWith('1.0-1+b1')
    expect(() => image(testHost(), { locked })).not.toThrow()
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
