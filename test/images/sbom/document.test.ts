import { describe, expect, it } from 'vitest'
import { BOARDS } from '../../../images/board.ts'
import { digestOf } from '../../../images/digest.ts'
import type { LockedPackage } from '../../../images/lock.ts'
import type { Manifest } from '../../../images/manifest.ts'
import { describePackages } from '../../../images/sbom/describe-packages.ts'
import { describeParts } from '../../../images/sbom/describe-parts.ts'
import { restText, sbomBytes } from '../../../images/sbom/document.ts'
import { factsOf } from '../../../images/sbom/facts.ts'
import { imageParts } from '../../../images/sbom/image-parts.ts'
import { joined } from '../../../images/sbom/spdx.ts'
import type { PackageStatement } from '../../../images/sbom/statement.ts'
import { lockedPackage } from '../../helpers/derivation.ts'
import { parseSpdx, related } from '../../helpers/spdx.ts'

const BOARD = BOARDS['raspberry-pi-5']
const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'

interface Given {
  readonly statements: Readonly<Record<string, Partial<PackageStatement>>>
  readonly manifest: Partial<Manifest>
  readonly inMosquitto: readonly LockedPackage[]
}

/** The document of an image with few packages; `statements` are by the names of packages. */
function sbom({ statements = {}, manifest = {}, inMosquitto = [libc] }: Partial<Given> = {}): string {
  const programs = {
    blocks: { name: 'blocks', licence: 'MIT', linked: [musl] },
    tryboot: { name: 'tryboot.ko', licence: 'GPL-2.0-only', linked: [] },
  }
  const made = { base: [bash, libc], kernel: [linux], initramfs: [busybox], programs }
  const parts = imageParts(BOARD, { ...made, containers: { 'container-mosquitto': inMosquitto } })
  const packages = [bash, libc, linux, busybox, musl, ...inMosquitto]
  const facts = factsOf(packages.map((item) => ({ ...identity(item), ...statements[item.package] })))
  const digests = new Map(['blocks', 'tryboot.ko'].map((name) => [name, digestOf(name)]))
  const described = joined([describeParts(parts, digests), describePackages(packages, facts)])
  const bytes = Buffer.from(restText(described, facts.licences))
  return Buffer.from(sbomBytes({ ...MANIFEST, ...manifest }, { bytes, digest: digestOf(bytes) })).toString()
}

const [bash, libc, linux, busybox, musl] = ['bash', 'libc6', 'linux-image', 'busybox-static', 'musl-dev'].map((name) =>
  lockedPackage(name),
) as [LockedPackage, LockedPackage, LockedPackage, LockedPackage, LockedPackage]

function identity({ package: name, version, architecture }: LockedPackage): PackageStatement {
  return { package: name, version, architecture }
}

const LAYERS = ['base', 'kernel', 'container-mosquitto', 'host']
const BOOT = [BOARD.kernel, 'initramfs.img', ...Object.keys(BOARD.deviceTrees), 'config.txt', 'cmdline.txt']

const MANIFEST: Manifest = {
  format: 1,
  host: 'tiny',
  board: BOARD.name,
  layout: 1,
  serial: { time: 1_700_000_000, number: 1 },
  signature: 'signed',
  keys: { signing: [], ssh: [] },
  slot: {
    ...{ size: 4096, sha256: digestOf('slot'), dataBlocks: 1, root: digestOf('root') },
    layers: LAYERS.map((name) => ({ name, offset: 0, size: 4096, sha256: digestOf(name) })),
  },
  boot: Object.fromEntries(BOOT.map((name) => [name, { size: 1, sha256: digestOf(name) }])),
  versions: {},
}

describe("an image's document", () => {
  it('is valid, and describes the image by its root hash', () => {
    const spdx = parseSpdx(sbom())
    const image = spdx.packages.find(({ SPDXID }) => SPDXID === 'SPDXRef-image')
    expect(image).toMatchObject({ name: 'tiny', versionInfo: MANIFEST.slot.root, packageFileName: 'slot.img' })
    expect(spdx.relationships).toContainEqual({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: 'SPDXRef-image',
    })
  })

  it('holds every layer and every file that boots it, with its digest', () => {
    const spdx = parseSpdx(sbom())
    expect(related(spdx, 'tiny', 'CONTAINS')).toEqual([...LAYERS, ...BOOT].sort())
    for (const name of [...LAYERS, ...BOOT])
      expect(spdx.packages.find((each) => each.name === name)?.checksums?.[0]?.checksumValue).toBe(digestOf(name))
  })

  it('says which packages each layer holds, and of which boot files were made', () => {
    const spdx = parseSpdx(sbom())
    expect(related(spdx, 'base', 'CONTAINS')).toEqual(['bash', 'libc6'])
    expect(related(spdx, 'kernel', 'CONTAINS')).toEqual(['linux-image', 'tryboot.ko'])
    expect(related(spdx, 'container-mosquitto', 'CONTAINS')).toEqual(['libc6'])
    expect(related(spdx, 'host', 'CONTAINS')).toEqual(['blocks'])
    expect(related(spdx, 'blocks', 'STATIC_LINK')).toEqual(['musl-dev'])
    expect(related(spdx, BOARD.kernel, 'GENERATED_FROM')).toEqual(['linux-image'])
    expect(related(spdx, 'initramfs.img', 'CONTAINS')).toEqual(['busybox-static', 'tryboot.ko'])
    expect(related(spdx, 'initramfs.img', 'GENERATED_FROM')).toEqual(['linux-image'])
  })

  it('tells of a package what the lock and the package know', () => {
    const copyright = `${FORMAT}\nFiles: *\nCopyright: 2020 Somebody\nLicense: GPL-3+\n`
    const spdx = parseSpdx(
      sbom({ statements: { bash: { copyright, source: 'shells (1.0)', homepage: 'https://example.org/bash' } } }),
    )
    expect(spdx.packages.find(({ name }) => name === 'bash')).toMatchObject({
      versionInfo: '1.0-1',
      packageFileName: 'bash.deb',
      supplier: 'Organization: Debian',
      homepage: 'https://example.org/bash',
      checksums: [{ algorithm: 'SHA256', checksumValue: bash.sha256 }],
      licenseDeclared: 'GPL-3.0-or-later',
      sourceInfo: 'built package from: shells 1.0',
      externalRefs: [{ referenceLocator: 'pkg:deb/debian/bash@1.0-1?arch=arm64&distro=trixie&upstream=shells%401.0' }],
    })
    expect(spdx.packages.find(({ name }) => name === 'libc6')?.licenseDeclared).toBe('NOASSERTION')
  })

  it('holds a package that lies in several layers once, and two versions of one apart', () => {
    const other = lockedPackage('libc6', { version: '2.0-1', sha256: digestOf('another libc6') })
    const named = (text: string) => parseSpdx(text).packages.filter(({ name }) => name === 'libc6')
    expect(named(sbom())).toHaveLength(1)
    expect(
      named(sbom({ inMosquitto: [other] }))
        .map(({ versionInfo }) => versionInfo)
        .sort(),
    ).toEqual(['1.0-1', '2.0-1'])
  })

  it('names the sources that are linked into a package', () => {
    const staticBuiltUsing = 'golang-1.24 (= 1.24.4-1), golang-dbus (= 5.1.0-1)'
    const spdx = parseSpdx(sbom({ statements: { bash: { staticBuiltUsing, builtUsing: 'glibc (= 2.41)' } } }))
    expect(related(spdx, 'bash', 'STATIC_LINK')).toEqual(['golang-1.24', 'golang-dbus'])
    expect(related(spdx, 'bash', 'GENERATED_FROM')).toEqual(['glibc'])
    expect(spdx.packages.find(({ name }) => name === 'glibc')).toMatchObject({
      primaryPackagePurpose: 'SOURCE',
      externalRefs: [{ referenceLocator: 'pkg:deb/debian/glibc@2.41?arch=source' }],
    })
  })

  it('leaves out a home page that is no address', () => {
    const spdx = parseSpdx(sbom({ statements: { bash: { homepage: 'see the manual' } } }))
    expect(spdx.packages.find(({ name }) => name === 'bash')).not.toHaveProperty('homepage')
  })

  it('has the texts of licences that SPDX does not know', () => {
    const copyright = `${FORMAT}\nFiles: *\nCopyright: 2020 Somebody\nLicense: custom\n You may.\n`
    const spdx = parseSpdx(sbom({ statements: { bash: { copyright } } }))
    expect(spdx.hasExtractedLicensingInfos).toMatchObject([{ name: 'custom', extractedText: 'You may.' }])
  })

  it('cannot be made of a package that nobody has seen', () => {
    const facts = factsOf([identity(bash)])
    expect(() => describePackages([bash, libc], facts)).toThrow("nobody unpacked 'libc6 1.0-1 arm64'")
  })
})

describe('the namespace of a document', () => {
  const namespace = (given: Partial<Given> = {}) => parseSpdx(sbom(given)).documentNamespace

  it('is the same for the same image', () => {
    expect(namespace()).toBe(namespace())
    expect(sbom()).toBe(sbom())
    expect(namespace()).toContain(`/hangar-tiny-${MANIFEST.slot.root}-`)
  })

  it('is another for another image, for other boot files, and where more is known of packages', () => {
    const others = [
      namespace({ manifest: { slot: { ...MANIFEST.slot, root: digestOf('other root') } } }),
      namespace({ manifest: { boot: { ...MANIFEST.boot, 'config.txt': { size: 1, sha256: digestOf('other') } } } }),
      namespace({ statements: { bash: { homepage: 'https://example.org/' } } }),
    ]
    expect(new Set([namespace(), ...others]).size).toBe(4)
  })
})

describe('the check of documents used here', () => {
  const broken = (change: (spdx: { packages: Record<string, unknown>[]; relationships: unknown[] }) => void) => {
    const spdx = JSON.parse(sbom())
    change(spdx)
    return () => parseSpdx(JSON.stringify(spdx))
  }

  it.each<[string, Parameters<typeof broken>[0]]>([
    ['a licence that is none', ({ packages }) => Object.assign(packages.at(-1) ?? {}, { licenseDeclared: 'GPL-7' })],
    ['a field that is unknown', ({ packages }) => Object.assign(packages.at(-1) ?? {}, { licence: 'MIT' })],
    ['a package that is there twice', ({ packages }) => packages.push(packages[0] ?? {})],
    ['a package that is related to none', ({ packages }) => packages.push({ ...packages[0], SPDXID: 'SPDXRef-x' })],
    ['a relationship with nothing', ({ packages }) => packages.pop()],
    [
      'a licence without its text',
      ({ packages }) => Object.assign(packages[0] ?? {}, { licenseDeclared: 'LicenseRef-x' }),
    ],
  ])('finds %s', (_, change) => {
    expect(broken(change)).toThrow()
  })

  it('finds nothing where nothing is wrong', () => {
    expect(broken(() => {})).not.toThrow()
  })
})
