import { describe, expect, it } from 'vitest'
import { BOARDS } from '../../../images/board.ts'
import { digestOf } from '../../../images/digest.ts'
import type { LockedPackage } from '../../../images/lock.ts'
import type { Manifest } from '../../../images/manifest.ts'
import { describePackages } from '../../../images/sbom/describe-packages.ts'
import { describeParts } from '../../../images/sbom/describe-parts.ts'
import { restText, sbomBytes } from '../../../images/sbom/document.ts'
import { factsOf } from '../../../images/sbom/facts.ts'
import { imageParts } from '../../../images/sbom/part.ts'
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

/** The document of an image with few packages. `statements`: package name -> fields. */
function sbom({ statements = {}, manifest = {}, inMosquitto = [libc] }: Partial<Given> = {}): string {
  const programs = {
    blocks: { name: 'blocks', licence: 'MIT', linked: [musl] },
    tryboot: { name: 'tryboot.ko', licence: 'GPL-2.0-only', linked: [] },
  }
  const made = { base: [bash, libc], kernel: [linux], initramfs: [busybox], programs }
  const parts = imageParts(BOARD, {
    ...made,
    containers: { 'container-mosquitto': { packages: inMosquitto, npm: [] } },
  })
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

describe('the SBOM of an image', () => {
  it('the SBOM is valid, and identifies the image by its root hash', () => {
    const spdx = parseSpdx(sbom())
    const image = spdx.packages.find(({ SPDXID }) => SPDXID === 'SPDXRef-image')
    expect(image).toMatchObject({ name: 'tiny', versionInfo: MANIFEST.slot.root, packageFileName: 'slot.img' })
    expect(spdx.relationships).toContainEqual({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: 'SPDXRef-image',
    })
  })

  it('an SBOM contains every layer and every boot file with its digest', () => {
    const spdx = parseSpdx(sbom())
    expect(related(spdx, 'tiny', 'CONTAINS')).toEqual([...LAYERS, ...BOOT].sort())
    for (const name of [...LAYERS, ...BOOT])
      expect(spdx.packages.find((each) => each.name === name)?.checksums?.[0]?.checksumValue).toBe(digestOf(name))
  })

  it('relates layers to the packages in them, and boot files to the packages that they are generated from', () => {
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

  it('describes a package by the lock and its control file', () => {
    const copyright = `${FORMAT}\nFiles: *\nCopyright: 2020 Jane Doe\nLicense: GPL-3+\n`
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

  it('lists a package in several layers once, and two versions of a package separately', () => {
    const other = lockedPackage('libc6', { version: '2.0-1', sha256: digestOf('another libc6') })
    const named = (text: string) => parseSpdx(text).packages.filter(({ name }) => name === 'libc6')
    expect(named(sbom())).toHaveLength(1)
    expect(
      named(sbom({ inMosquitto: [other] }))
        .map(({ versionInfo }) => versionInfo)
        .sort(),
    ).toEqual(['1.0-1', '2.0-1'])
  })

  it('lists the sources that a package links statically or was built with', () => {
    const staticBuiltUsing = 'golang-1.24 (= 1.24.4-1), golang-dbus (= 5.1.0-1)'
    const spdx = parseSpdx(sbom({ statements: { bash: { staticBuiltUsing, builtUsing: 'glibc (= 2.41)' } } }))
    expect(related(spdx, 'bash', 'STATIC_LINK')).toEqual(['golang-1.24', 'golang-dbus'])
    expect(related(spdx, 'bash', 'GENERATED_FROM')).toEqual(['glibc'])
    expect(spdx.packages.find(({ name }) => name === 'glibc')).toMatchObject({
      primaryPackagePurpose: 'SOURCE',
      externalRefs: [{ referenceLocator: 'pkg:deb/debian/glibc@2.41?arch=source' }],
    })
  })

  it('omits a home page that is not a URL', () => {
    const spdx = parseSpdx(sbom({ statements: { bash: { homepage: 'see the manual' } } }))
    expect(spdx.packages.find(({ name }) => name === 'bash')).not.toHaveProperty('homepage')
  })

  it('contains the texts of licences that are not on SPDX’s list', () => {
    const copyright = `${FORMAT}\nFiles: *\nCopyright: 2020 Jane Doe\nLicense: custom\n You may.\n`
    const spdx = parseSpdx(sbom({ statements: { bash: { copyright } } }))
    expect(spdx.hasExtractedLicensingInfos).toMatchObject([{ name: 'custom', extractedText: 'You may.' }])
  })

  it('refuses a package without a statement', () => {
    const facts = factsOf([identity(bash)])
    expect(() => describePackages([bash, libc], facts)).toThrow(
      "no step has written the statement of package 'libc6 1.0-1 arm64'",
    )
  })
})

describe('the namespace of a document', () => {
  const namespace = (given: Partial<Given> = {}) => parseSpdx(sbom(given)).documentNamespace

  it('the namespace of an SBOM is the same for the same image', () => {
    expect(namespace()).toBe(namespace())
    expect(sbom()).toBe(sbom())
    expect(namespace()).toContain(`/hangar-tiny-${MANIFEST.slot.root}-`)
  })

  it('the namespace of an SBOM differs for another root hash, other boot files and other package information', () => {
    const others = [
      namespace({ manifest: { slot: { ...MANIFEST.slot, root: digestOf('other root') } } }),
      namespace({ manifest: { boot: { ...MANIFEST.boot, 'config.txt': { size: 1, sha256: digestOf('other') } } } }),
      namespace({ statements: { bash: { homepage: 'https://example.org/' } } }),
    ]
    expect(new Set([namespace(), ...others]).size).toBe(4)
  })
})

describe('parseSpdx', () => {
  const broken = (change: (spdx: { packages: Record<string, unknown>[]; relationships: unknown[] }) => void) => {
    const spdx = JSON.parse(sbom())
    change(spdx)
    return () => parseSpdx(JSON.stringify(spdx))
  }

  it.each<[string, Parameters<typeof broken>[0]]>([
    [
      'an invalid licence expression',
      ({ packages }) => Object.assign(packages.at(-1) ?? {}, { licenseDeclared: 'GPL-7' }),
    ],
    ['an unknown field', ({ packages }) => Object.assign(packages.at(-1) ?? {}, { licence: 'MIT' })],
    ['a duplicate package', ({ packages }) => packages.push(packages[0] ?? {})],
    ['a package without relationship', ({ packages }) => packages.push({ ...packages[0], SPDXID: 'SPDXRef-x' })],
    ['a relationship to a missing package', ({ packages }) => packages.pop()],
    [
      'a LicenseRef without text',
      ({ packages }) => Object.assign(packages[0] ?? {}, { licenseDeclared: 'LicenseRef-x' }),
    ],
  ])('refuses an SBOM with %s', (_, change) => {
    expect(broken(change)).toThrow()
  })

  it('accepts a valid SBOM', () => {
    expect(broken(() => {})).not.toThrow()
  })
})
