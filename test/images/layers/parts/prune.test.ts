import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expand, prune } from '../../../../images/layers/parts/prune.ts'
import { walk } from '../../../../images/layers/parts/walk.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

async function rootWith(...files: string[]): Promise<string> {
  const root = await tempDirectory()
  for (const file of files) {
    mkdirSync(dirname(root + file), { recursive: true })
    writeFileSync(root + file, '')
  }
  return root
}

const filesOf = (root: string) => [...walk(root)].filter(([, { kind }]) => kind !== 'directory').map(([path]) => path)

describe('prune', () => {
  it('removes the listed paths with their content, and ignores missing paths', async () => {
    const root = await rootWith('/usr/share/man/man1/ls.1', '/usr/bin/ls')
    prune(root, { remove: ['/usr/share/man', '/usr/share/info'], keepOnly: {} })
    expect(filesOf(root)).toEqual(['/usr/bin/ls'])
  })

  it('keeps only the files with the listed names in a directory', async () => {
    const root = await rootWith(
      '/usr/share/doc/a/copyright',
      '/usr/share/doc/a/README',
      '/usr/share/doc/b/c/changelog',
      '/usr/bin/README',
    )
    prune(root, { remove: [], keepOnly: { '/usr/share/doc': ['copyright'] } })
    expect(filesOf(root)).toEqual(['/usr/bin/README', '/usr/share/doc/a/copyright'])
    expect(walk(root).has('/usr/share/doc/b')).toBe(false)
  })

  it('keeps a link only if its target directory still exists', async () => {
    const root = await rootWith('/usr/share/doc/a/copyright', '/usr/share/doc/b/README')
    symlinkSync('a', `${root}/usr/share/doc/same-as-a`)
    symlinkSync('b', `${root}/usr/share/doc/same-as-b`)
    symlinkSync('/usr/share/doc', `${root}/usr/share/doc/absolute`)
    symlinkSync('copyright', `${root}/usr/share/doc/a/LICENSE`)
    prune(root, { remove: [], keepOnly: { '/usr/share/doc': ['copyright'] } })
    expect(filesOf(root)).toEqual(['/usr/share/doc/a/copyright', '/usr/share/doc/same-as-a'])
  })

  it('ignores a missing directory in keepOnly', async () => {
    const root = await rootWith('/usr/bin/ls')
    prune(root, { remove: [], keepOnly: { '/usr/share/doc': ['copyright'] } })
    expect(filesOf(root)).toEqual(['/usr/bin/ls'])
  })

  it('matches `*` within one path component, and a dot literally', async () => {
    const root = await rootWith(
      '/usr/lib/aarch64-linux-gnu/libc.a',
      '/usr/lib/aarch64-linux-gnu/libcxa',
      '/usr/lib/x/y/libd.a',
    )
    expect(expand(root, '/usr/lib/*/*.a')).toEqual(['/usr/lib/aarch64-linux-gnu/libc.a'])
  })

  it('removes a link and keeps its target', async () => {
    const root = await rootWith('/kept/file')
    symlinkSync('kept', `${root}/link`)
    prune(root, { remove: ['/link'], keepOnly: {} })
    expect(filesOf(root)).toEqual(['/kept/file'])
  })
})
