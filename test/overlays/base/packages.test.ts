import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDebianLock } from '../../../builder/sources/debian/source.ts'
import { BASE } from '../../../hosts/platforms/pi/image-of.ts'
import { lockedPackages } from '../../../images/lock.ts'
import { BASE_PACKAGES } from '../../../overlays/base/packages.ts'
import { PROJECT } from '../../helpers/toolchain.ts'

describe('the packages of the base', () => {
  it('the lock contains all packages of the base', async () => {
    const locked = lockedPackages(await readDebianLock(join(PROJECT, 'images/debian.lock.json')), {
      set: BASE,
      architecture: 'arm64',
    })
    const names = (locked ?? []).map((item) => item.package)
    expect(BASE_PACKAGES.filter((name) => !names.includes(name))).toEqual([])
  })

  it('the base contains a container host, and no programs of services', () => {
    expect(BASE_PACKAGES).toEqual(expect.arrayContaining(['podman', 'openssh-server', 'nftables', 'systemd']))
    for (const name of ['mosquitto', 'prometheus', 'apt', 'docker.io']) expect(BASE_PACKAGES).not.toContain(name)
  })

  it('the base contains no program that writes the EEPROM', async () => {
    const { sets } = await readDebianLock(join(PROJECT, 'images/debian.lock.json'))
    const named = Object.values(sets).flatMap(({ packages }) => packages)
    expect(named.filter((id) => /^podman_/.test(id))).not.toEqual([])
    expect(named.filter((id) => /eeprom/.test(id))).toEqual([])
  })
})
