import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../images/digest.ts'
import { lockedPackages, parseLock } from '../../images/lock.ts'
import { parseManifest } from '../../images/manifest.ts'
import { adama } from '../helpers/adama.ts'
import { debianSets } from '../helpers/debian-sets.ts'
import { planAlone } from '../helpers/host.ts'
import { sumsIn } from '../helpers/output-files.ts'
import { parseSpdx, related } from '../helpers/spdx.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { imagePath } from '../helpers/vm.ts'

const OUTPUT = dirname(imagePath(adama.name))
const read = (name: string) => readFileSync(join(OUTPUT, name), 'utf8')

/** Maps a package set to the SBOM's name for the part of the image that contains the packages. */
const PLACES: Readonly<Record<string, string>> = { base: 'base', kernel: 'kernel', initramfs: 'initramfs.img' }

describe("adama's SBOM", () => {
  const spdx = parseSpdx(read('sbom.spdx.json'))
  const lock = parseLock(readFileSync(join(PROJECT, 'images/debian.lock.json'), 'utf8'), 'the lock')

  it("adama's SBOM is valid, names the root hash of the image, and is listed in SHA256SUMS", () => {
    const { slot } = parseManifest(read('manifest.json'), 'the manifest')
    expect(spdx.documentNamespace).toContain(slot.root)
    expect(sumsIn(OUTPUT)['sbom.spdx.json']).toBe(digestOf(read('sbom.spdx.json')))
  })

  it("adama's SBOM lists every locked package of every layer and of the initramfs, with version and digest", () => {
    const sets = debianSets(planAlone(adama).requests('amd64')).filter(
      ({ set, architecture }) => architecture === 'arm64' && (set.name in PLACES || set.name.startsWith('container/')),
    )
    expect(sets).toHaveLength(3 + adama.services.length)
    for (const each of sets) {
      const packages = lockedPackages(lock, each) ?? []
      const place = PLACES[each.set.name] ?? each.set.name.replace('/', '-')
      expect(packages.length).toBeGreaterThan(0)
      const found = related(spdx, place, 'CONTAINS').filter((name) => name !== 'hangar_tryboot.ko')
      expect(found, place).toEqual(packages.map((item) => item.package).sort())
      for (const { sha256, version } of packages)
        expect(spdx.packages.find((one) => one.checksums?.[0]?.checksumValue === sha256)?.versionInfo).toBe(version)
    }
  })

  it("adama's SBOM names the source package of each package, and the licence of most", () => {
    const debs = spdx.packages.filter(({ SPDXID }) => SPDXID.startsWith('SPDXRef-deb-'))
    expect(debs.filter(({ sourceInfo }) => !/^built package from: \S+ \S+$/.test(sourceInfo ?? ''))).toEqual([])
    const declared = debs.filter(({ licenseDeclared }) => licenseDeclared !== 'NOASSERTION')
    expect(declared.length / debs.length).toBeGreaterThan(0.8)
    expect(debs.find(({ name }) => name === 'systemd')?.licenseDeclared).toContain('LGPL-2.1-or-later')
  })
})
