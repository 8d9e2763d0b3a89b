import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDebianLock } from '../../../builder/sources/debian/source.ts'
import { BASE } from '../../../hosts/schema/image-of.ts'
import { lockedPackages } from '../../../images/lock.ts'
import { BASE_PACKAGES } from '../../../overlays/base/packages.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

describe('packages of the base', () => {
  it('are in the lock as they are asked for, each of them', async () => {
    const locked = lockedPackages(await readDebianLock(join(PROJECT, 'images/debian.lock.json')), {
      set: BASE,
      architecture: 'arm64',
    })
    const names = (locked ?? []).map((item) => item.package)
    expect(BASE_PACKAGES.filter((name) => !names.includes(name))).toEqual([])
  })

  it('are only a container host: a service brings its programs in a layer of its own', () => {
    expect(BASE_PACKAGES).toEqual(expect.arrayContaining(['podman', 'openssh-server', 'nftables', 'systemd']))
    for (const name of ['mosquitto', 'prometheus', 'apt', 'docker.io']) expect(BASE_PACKAGES).not.toContain(name)
  })

  it('have nothing that writes an EEPROM through the boot partition that runs', async () => {
    const { sets } = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
    const named = Object.values(sets).flatMap(({ packages }) => packages)
    expect(named.filter((id) => /^podman_/.test(id))).not.toEqual([])
    expect(named.filter((id) => /eeprom/.test(id))).toEqual([])
  })
})
