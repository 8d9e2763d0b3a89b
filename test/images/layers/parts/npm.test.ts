import { chmodSync, lstatSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unpackNpm } from '../../../../images/layers/parts/npm.ts'
import { walk } from '../../../../images/layers/parts/walk.ts'
import type { Unpacked } from '../../../../images/npm/npm-package.ts'
import type { TarEntry } from '../../../../lib/tar.ts'
import { ARM64, X64 } from '../../../helpers/native-module.ts'
import { tarballOf, tgz } from '../../../helpers/npm-registry.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const item = (location: string, given: Partial<Unpacked> = {}): Unpacked => ({
  ...{ file: location, locations: [location], bin: {}, use: 'indirect', ...given },
})

async function unpacked(packages: readonly Unpacked[], tarballs: Readonly<Record<string, Uint8Array>> = {}) {
  const root = await tempDirectory()
  const plain = await tarballOf({ name: 'x', files: { 'index.js': 'x', 'bin/x.js': '#!' } })
  unpackNpm(root, packages, (file) => tarballs[file] ?? plain)
  return root
}

const listing = (root: string) =>
  [...walk(root)].map(([path, { kind, mode, target }]) =>
    [path, kind, kind === 'symlink' ? target : mode.toString(8)].join(' '),
  )

const entry = (name: string, given: Partial<TarEntry>): TarEntry => ({ name, type: 'file', mode: 0o644, ...given })

describe('unpackNpm', () => {
  it('puts packages below /app/node_modules, and links their commands', async () => {
    const root = await unpacked([item('node_modules/@lab/a', { bin: { a: 'bin/x.js' } }), item('node_modules/b')])
    expect(listing(root)).toEqual([
      '/app directory 755',
      '/app/node_modules directory 755',
      '/app/node_modules/.bin directory 755',
      '/app/node_modules/.bin/a symlink ../@lab/a/bin/x.js',
      '/app/node_modules/@lab directory 755',
      '/app/node_modules/@lab/a directory 755',
      '/app/node_modules/@lab/a/bin directory 755',
      '/app/node_modules/@lab/a/bin/x.js file 755',
      '/app/node_modules/@lab/a/index.js file 644',
      '/app/node_modules/@lab/a/package.json file 644',
      '/app/node_modules/b directory 755',
      '/app/node_modules/b/bin directory 755',
      '/app/node_modules/b/bin/x.js file 644',
      '/app/node_modules/b/index.js file 644',
      '/app/node_modules/b/package.json file 644',
    ])
  })

  it('gives the same tree for every umask, mode in the tarball and order of packages', async () => {
    const tarball = (mode: number) =>
      tgz([
        entry('package/package.json', { mode, content: { text: '{}' } }),
        entry('package/lib/', { type: 'directory', mode: 0o700 }),
      ])
    const packages = [
      item('node_modules/a', { locations: ['node_modules/a', 'node_modules/b/node_modules/a'] }),
      item('node_modules/b'),
    ]
    const before = process.umask(0o077)
    const one = await unpacked(packages, { 'node_modules/a': await tarball(0o600) })
    process.umask(0)
    const other = await unpacked([...packages].reverse(), { 'node_modules/a': await tarball(0o4666) })
    process.umask(before)
    expect(listing(one)).toEqual(listing(other))
    expect(listing(one)).toContain('/app/node_modules/b/node_modules/a/package.json file 644')
  })

  it('a command that two packages have belongs to the one that the service names, and then to the first', async () => {
    const bin = { tool: 'bin/x.js' }
    const root = await unpacked([
      item('node_modules/a', { bin }),
      item('node_modules/z', { bin, use: 'direct' }),
      item('node_modules/z/node_modules/c', { bin }),
      item('node_modules/z/node_modules/b', { bin }),
    ])
    expect(readlinkSync(`${root}/app/node_modules/.bin/tool`)).toBe('../z/bin/x.js')
    expect(readlinkSync(`${root}/app/node_modules/z/node_modules/.bin/tool`)).toBe('../b/bin/x.js')
    expect(statSync(`${root}/app/node_modules/.bin/tool`).isFile()).toBe(true)
  })

  it('makes no link to a command that the package lacks', async () => {
    const root = await unpacked([item('node_modules/a', { bin: { a: 'absent.js' } })])
    expect(lstatSync(`${root}/app/node_modules/.bin`, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('keeps native modules for arm64, and leaves the others out', async () => {
    const directory = await tempDirectory()
    const native = (name: string, bytes: Buffer): TarEntry => {
      const path = join(directory, String(bytes.readUInt16LE(18)))
      writeFileSync(path, bytes)
      return entry(`package/prebuilds/${name}`, { content: { file: path, size: bytes.length } })
    }
    const tarball = await tgz([
      entry('package/package.json', { content: { text: '{}' } }),
      native('linux-arm64/node.napi.node', ARM64),
      native('linux-x64/node.napi.node', X64),
      entry('package/prebuilds/win32-x64/node.napi.node', { content: { text: 'MZ' } }),
      native('linux-arm64/node.napi.musl.node', ARM64),
    ])
    const root = await unpacked([item('node_modules/a')], { 'node_modules/a': tarball })
    expect(listing(root).filter((line) => line.includes('.node '))).toEqual([
      '/app/node_modules/a/prebuilds/linux-arm64/node.napi.node file 644',
    ])
  })

  it('refuses a tarball with the directory of another package', async () => {
    const tarball = await tarballOf({ name: 'a', files: { 'node_modules/b/index.js': 'evil' } })
    const packages = [item('node_modules/a'), item('node_modules/a/node_modules/b')]
    await expect(unpacked(packages, { 'node_modules/a': tarball })).rejects.toThrow(
      "two packages have files in 'node_modules/a/node_modules/b'",
    )
  })

  it('never writes through a link of a tarball', async () => {
    const target = await tempDirectory()
    chmodSync(target, 0o755)
    const tarball = await tgz([
      entry('package/package.json', { content: { text: '{}' } }),
      entry('package/lib', { type: 'symlink', linkname: target }),
      entry('package/lib/file', { content: { text: 'x' } }),
    ])
    const root = await unpacked([item('node_modules/a')], { 'node_modules/a': tarball })
    expect([...walk(target)]).toEqual([])
    expect(readFileSync(`${root}/app/node_modules/a/lib/file`, 'utf8')).toBe('x')
  })
})
