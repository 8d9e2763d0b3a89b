import { describe, expect, it } from 'vitest'
import { machineOf } from '../../../images/npm/binary.ts'
import type { PackageFile } from '../../../images/npm/tarball.ts'
import { contentFacts } from '../../../images/npm/tarball-facts.ts'
import { ARM64, X64 } from '../../helpers/native-module.ts'
import { smallElf } from '../../helpers/small-elf.ts'

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
    ['prebuilds/linux-arm64/node.napi.node', 'usable', ARM64],
    ['prebuilds/linux-arm64/@serialport+bindings-cpp.armv8.node', 'usable', ARM64],
    ['build/Release/addon.node', 'usable', ARM64],
    ['prebuilds/linux-arm64/node.napi.musl.node', 'foreign', ARM64],
    ['prebuilds/linux-arm64/electron.napi.node', 'foreign', ARM64],
    ['prebuilds/android-arm64/node.napi.node', 'foreign', ARM64],
    ['prebuilds/linux-x64/node.napi.node', 'foreign', X64],
    ['prebuilds/linux-arm64/lies.node', 'foreign', X64],
    ['prebuilds/linux-arm/node.napi.armv7.node', 'foreign', smallElf({ machine: 40 })],
    ['prebuilds/win32-x64/node.napi.node', 'none', Buffer.from('MZ'.padEnd(64))],
    ['lib/config.node', 'none', Buffer.from('a text')],
    ['bin/tool', 'none', X64],
  ])('a package with the file %s has the native modules %j', (path, modules, bytes) => {
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
  ])('npm would build a package with the fields %j and the files %j with: %s', (manifest, files, expected) => {
    expect(factsOf(manifest, files).build).toBe(expected)
  })

  it('counts a file that is shorter than an ELF header as no machine code for Linux', () => {
    for (let size = 0; size < 20; size += 1) expect(machineOf(ARM64.subarray(0, size))).toBe('other')
    expect(machineOf(ARM64)).toBe('linux-arm64')
  })
})
