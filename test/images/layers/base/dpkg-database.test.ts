import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeDatabase } from '../../../../images/layers/base/dpkg-database.ts'
import { unpackDebs } from '../../../../images/layers/parts/deb.ts'
import { smallDeb } from '../../../helpers/small-deb.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function rootWith(state: 'unpacked' | 'installed'): Promise<string> {
  const directory = await tempDirectory()
  const debs = [
    smallDeb(directory, {
      name: 'library',
      architecture: 'arm64',
      fields: 'Multi-Arch: same\nPriority: optional\nHomepage: https://example.org\nDepends: tool\n',
      control: { triggers: 'interest-noawait /usr/lib/things\nactivate-noawait ldconfig\n' },
    }),
    smallDeb(directory, {
      name: 'daemon',
      files: { 'etc/daemon.conf': 'a=1\n' },
      control: {
        conffiles: 'remove-on-upgrade /etc/old.conf\n/etc/daemon.conf\n',
        postinst: '#!/bin/sh\n',
        triggers: 'interest refresh-daemon\n',
      },
    }),
  ]
  const root = `${directory}/root`
  writeDatabase(root, await unpackDebs(debs, root), state, 'arm64')
  return root
}

const STATUS = `Package: daemon
Status: install ok installed
Maintainer: Jane Doe <jane@example.org>
Architecture: all
Version: 1.0-1
Conffiles:
 /etc/old.conf newconffile remove-on-upgrade
 /etc/daemon.conf 9bc38d36389f7b48f0a9df0d8f8a1c33
Description: small
 nothing much

Package: library
Status: install ok installed
Priority: optional
Maintainer: Jane Doe <jane@example.org>
Architecture: arm64
Multi-Arch: same
Version: 1.0-1
Depends: tool
Description: small
 nothing much
Homepage: https://example.org

`

describe('writeDatabase', () => {
  it('writes installed packages as dpkg does: order of fields, digests of conffiles', async () => {
    const root = await rootWith('installed')
    const md5 = execFileSync('md5sum', [`${root}/etc/daemon.conf`], { encoding: 'utf8' }).slice(0, 32)
    expect(readFileSync(`${root}/var/lib/dpkg/status`, 'utf8')).toBe(STATUS.replace(/[0-9a-f]{32}/, md5))
  })

  it('writes unpacked packages with new conffiles', async () => {
    const status = readFileSync(`${await rootWith('unpacked')}/var/lib/dpkg/status`, 'utf8')
    expect(status).toContain('Status: install ok unpacked\n')
    expect(status).toContain(' /etc/daemon.conf newconffile\n')
  })

  it('writes the file list and control files of each package, with executable scripts', async () => {
    const info = `${await rootWith('installed')}/var/lib/dpkg/info`
    expect(readdirSync(info).sort()).toEqual([
      'daemon.conffiles',
      'daemon.list',
      'daemon.postinst',
      'daemon.triggers',
      'format',
      'library:arm64.list',
      'library:arm64.triggers',
    ])
    expect(readFileSync(`${info}/daemon.list`, 'utf8')).toBe('/.\n/etc\n/etc/daemon.conf\n')
    expect(statSync(`${info}/daemon.postinst`).mode & 0o777).toBe(0o755)
    expect(statSync(`${info}/daemon.conffiles`).mode & 0o777).toBe(0o644)
  })

  it('writes the triggers that packages are interested in', async () => {
    const triggers = `${await rootWith('installed')}/var/lib/dpkg/triggers`
    expect(readFileSync(`${triggers}/File`, 'utf8')).toBe('/usr/lib/things library:arm64/noawait\n')
    expect(readFileSync(`${triggers}/refresh-daemon`, 'utf8')).toBe('daemon\n')
  })

  it('writes a database that dpkg-query can read', async () => {
    const root = await rootWith('installed')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of dpkg-query
    const format = '${Package} ${db:Status-Abbrev}\n'
    const listed = execFileSync('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', format], {
      encoding: 'utf8',
    })
    expect(listed).toBe('daemon ii \nlibrary ii \n')
  })

  it('writes the native architecture', async () => {
    expect(readFileSync(`${await rootWith('installed')}/var/lib/dpkg/arch-native`, 'utf8')).toBe('arm64\n')
  })
})
