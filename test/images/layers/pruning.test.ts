import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { prune } from '../../../images/layers/parts/prune.ts'
import { walk } from '../../../images/layers/parts/walk.ts'
import { PRUNING } from '../../../images/layers/pruning.ts'
import { tempDirectory } from '../../helpers/temp.ts'

const LIBRARIES = '/usr/lib/aarch64-linux-gnu'

/** Creates files, prunes, and returns the files that are left. */
async function left(...files: string[]): Promise<string[]> {
  const root = await tempDirectory()
  for (const file of files) {
    mkdirSync(dirname(root + file), { recursive: true })
    writeFileSync(root + file, '')
  }
  prune(root, PRUNING)
  return [...walk(root)].filter(([, { kind }]) => kind !== 'directory').map(([path]) => path)
}

describe('PRUNING', () => {
  it('the pruning rules have only absolute paths, without duplicates', () => {
    const paths = [...PRUNING.remove, ...Object.keys(PRUNING.keepOnly)]
    expect(paths.filter((path) => !/^\/[^/]/.test(path) || path.endsWith('/'))).toEqual([])
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('removes documentation, man pages and locales, and keeps copyright files', async () => {
    expect(
      await left(
        '/usr/share/doc/dash/copyright',
        '/usr/share/doc/dash/changelog.gz',
        '/usr/share/man/man1/dash.1.gz',
        '/usr/share/locale/de/LC_MESSAGES/dash.mo',
        '/usr/bin/dash',
      ),
    ).toEqual(['/usr/bin/dash', '/usr/share/doc/dash/copyright'])
  })

  it('removes static libraries and character sets of every architecture, and keeps shared libraries', async () => {
    const kept = [`${LIBRARIES}/libc.so.6`, '/usr/lib/locale/C.utf8/LC_CTYPE']
    const gone = [`${LIBRARIES}/libz.a`, `${LIBRARIES}/gconv/UTF-16.so`, '/usr/lib/x86_64-linux-gnu/libz.a']
    expect(await left(...kept, ...gone)).toEqual(kept)
  })

  it('removes maintainer scripts, and keeps dpkg’s file lists and checksums for verification', async () => {
    const info = (name: string) => `/var/lib/dpkg/info/${name}`
    const kept = ['dash.list', 'dash.md5sums', 'libc6:arm64.shlibs', 'openssh-server.conffiles'].map(info)
    const gone = ['dash.postinst', 'dash.prerm', 'libc6:arm64.preinst', 'dash.config', 'dash.templates'].map(info)
    expect((await left(...kept, ...gone, '/var/lib/dpkg/status')).sort()).toEqual(
      [...kept, '/var/lib/dpkg/status'].sort(),
    )
  })

  it('empties /boot, because the boot files are in the boot file system', async () => {
    expect(await left('/boot/vmlinuz', '/etc/hostname')).toEqual(['/etc/hostname'])
  })
})
