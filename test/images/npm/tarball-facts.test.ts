import { describe, expect, it } from 'vitest'
import { machineOf } from '../../../images/npm/binary.ts'
import type { PackageFile } from '../../../images/npm/tarball.ts'
import { contentFacts } from '../../../images/npm/tarball-facts.ts'
import { ARM64, elf, X64 } from '../../helpers/native-module.ts'

function factsOf(manifest: unknown, files: Readonly<Record<string, Buffer | string>> = {}) {
  const all = { 'package.json': typeof manifest === 'string' ? manifest : JSON.stringify(manifest), ...files }
  return contentFacts(
    Object.entries(all).map(
      ([path, content]): PackageFile => ({ path, executable: false, bytes: Buffer.from(content) }),
    ),
  )
}

describe('the facts about a tarball', () => {
  it('reads systems and licence, and ignores fields of other types', () => {
    expect(factsOf({ license: 'MIT', os: ['linux'], cpu: 'arm64', libc: ['glibc', 3] })).toMatchObject({
      ...{ license: 'MIT', os: ['linux'], cpu: ['arm64'], libc: ['glibc'], modules: 'none', build: 'none' },
    })
    expect(factsOf({ license: { type: 'MIT' }, os: { linux: true }, scripts: 'x' })).toEqual(factsOf({}))
    for (const text of ['', 'null', '[]', '\uFEFF{}', '{"__proto__":{"license":"x"}}'])
      expect(factsOf(text)).toEqual(factsOf({}))
  })

  it.each([
    ['prebuilds/linux-arm64/node.napi.node', ARM64, 'usable'],
    ['prebuilds/linux-arm64/@serialport+bindings-cpp.armv8.node', ARM64, 'usable'],
    ['build/Release/addon.node', ARM64, 'usable'],
    ['prebuilds/linux-arm64/node.napi.musl.node', ARM64, 'foreign'],
    ['prebuilds/linux-arm64/electron.napi.node', ARM64, 'foreign'],
    ['prebuilds/android-arm64/node.napi.node', ARM64, 'foreign'],
    ['prebuilds/linux-x64/node.napi.node', X64, 'foreign'],
    ['prebuilds/linux-arm64/lies.node', X64, 'foreign'],
    ['prebuilds/linux-arm/node.napi.armv7.node', elf(40), 'foreign'],
    ['prebuilds/win32-x64/node.napi.node', Buffer.from('MZ'.padEnd(64)), 'none'],
    ['lib/config.node', Buffer.from('a text'), 'none'],
    ['bin/tool', X64, 'none'],
  ])('%s: %#', (path, bytes, modules) => {
    expect(factsOf({}, { [path]: bytes }).modules).toBe(modules)
  })

  it('one usable module is enough', () => {
    expect(factsOf({}, { 'a/x64.node': X64, 'b/arm64.node': ARM64 }).modules).toBe('usable')
  })

  it.each([
    [{}, { 'binding.gyp': '' }, 'compiler'],
    [{ gypfile: false }, { 'binding.gyp': '' }, 'none'],
    [{}, { 'deps/binding.gyp': '' }, 'none'],
    [{ scripts: { install: 'node-gyp-build' } }, {}, 'compiler'],
    [{ scripts: { install: 'prebuild-install || node-gyp rebuild' } }, {}, 'compiler'],
    [{ scripts: { install: 'node-pre-gyp install --fallback-to-build' } }, {}, 'compiler'],
    [{ scripts: { postinstall: 'node install.js' } }, {}, 'script'],
    [{ scripts: { test: 'node-gyp build', prepare: 'make' } }, {}, 'none'],
  ])('how npm would build a package: %j', (manifest, files, expected) => {
    expect(factsOf(manifest, files).build).toBe(expected)
  })

  it('reads the machine of short and empty files', () => {
    for (let size = 0; size < 20; size += 1) expect(machineOf(ARM64.subarray(0, size))).toBe('other')
    expect(machineOf(ARM64)).toBe('linux-arm64')
  })
})
