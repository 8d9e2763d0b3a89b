import { describe, expect, it } from 'vitest'
import { bootstrapSet } from '../../../../../builder/sources/debian/resolve/bootstrap.ts'
import type { PackageSet } from '../../../../../images/package-set.ts'
import { smallCatalogue } from '../../../../helpers/catalogue.ts'
import type { TestPackage } from '../../../../helpers/small-archive.ts'

function resolve(packages: readonly TestPackage[], set: Partial<PackageSet>): string[] {
  const whole: PackageSet = { name: 'toolchain', request: [], essential: 'left-out', assumed: [], ...set }
  return bootstrapSet(whole, smallCatalogue(packages))
    .map((item) => `${item.package} ${item.version}`)
    .sort()
}

const depends = (text: string) => ({ Depends: text })

describe('bootstrapSet', () => {
  it('follows Depends and Pre-Depends, and accepts dependency cycles', () => {
    const packages = [
      { name: 'a', fields: { 'Pre-Depends': 'b', Depends: 'c (>= 1.0)' } },
      { name: 'b', fields: depends('d') },
      { name: 'c' },
      { name: 'd', fields: depends('a') },
      { name: 'unrelated', fields: { Recommends: 'a' } },
    ]
    expect(resolve(packages, { request: ['a'] })).toEqual(['a 1.0-1', 'b 1.0-1', 'c 1.0-1', 'd 1.0-1'])
  })

  it('selects the newest version of all suites except backports', () => {
    const packages = [
      { name: 'a', version: '1.9' },
      { name: 'a', version: '1.10', suite: 'trixie-security' },
      { name: 'a', version: '2.0', suite: 'trixie-backports' },
    ]
    expect(resolve(packages, { request: ['a'] })).toEqual(['a 1.10'])
  })

  it('selects packages from backports only if a request names them or no other suite has them', () => {
    const packages = [
      { name: 'linux', version: '6', fields: {} },
      { name: 'linux', version: '7', suite: 'trixie-backports', fields: depends('linux-7, base (>= 2)') },
      { name: 'linux-7', version: '7', suite: 'trixie-backports' },
      { name: 'base', version: '1' },
      { name: 'base', version: '2', suite: 'trixie-backports' },
    ]
    expect(resolve(packages, { request: ['linux/trixie-backports'] })).toEqual(['base 2', 'linux 7', 'linux-7 7'])
  })

  it('never assumes a requested package, nor an assumed package that it depends on', () => {
    const packages = [
      { name: 'a', fields: depends('perl, python') },
      { name: 'perl', fields: depends('perl-base') },
      { name: 'perl-base' },
      { name: 'python', fields: depends('python-stdlib') },
      { name: 'python-stdlib' },
    ]
    const assumed = ['perl', 'perl-base', 'python']
    expect(resolve(packages, { request: ['a'], assumed })).toEqual(['a 1.0-1'])
    expect(resolve(packages, { request: ['a', 'perl'], assumed })).toEqual(['a 1.0-1', 'perl 1.0-1', 'perl-base 1.0-1'])
  })

  it('selects the first alternative that exists', () => {
    const packages = [
      { name: 'a', fields: depends('gone | b (>= 2) | c | d') },
      { name: 'b' },
      { name: 'c' },
      { name: 'd' },
    ]
    expect(resolve(packages, { request: ['a'] })).toEqual(['a 1.0-1', 'c 1.0-1'])
  })

  it('selects no alternative when the set already contains one', () => {
    const packages = [{ name: 'a', fields: depends('b | c') }, { name: 'b' }, { name: 'c' }]
    expect(resolve(packages, { request: ['a', 'c'] })).toEqual(['a 1.0-1', 'c 1.0-1'])
  })

  it('selects the provider with the highest priority', () => {
    const packages = [
      { name: 'a', fields: depends('awk') },
      { name: 'gawk', fields: { Provides: 'awk', Priority: 'optional' } },
      { name: 'mawk', fields: { Provides: 'awk', Priority: 'required' } },
    ]
    expect(resolve(packages, { request: ['a'] })).toEqual(['a 1.0-1', 'mawk 1.0-1'])
  })

  it('a provided version satisfies only that version, and an unversioned one satisfies no version', () => {
    const providing = (provides: string) => [
      { name: 'a', fields: depends('api (>= 2)') },
      { name: 'b', fields: { Provides: provides } },
    ]
    expect(resolve(providing('api (= 2.1)'), { request: ['a'] })).toEqual(['a 1.0-1', 'b 1.0-1'])
    expect(() => resolve(providing('api (= 1.9)'), { request: ['a'] })).toThrow('no suite has it')
    expect(() => resolve(providing('api'), { request: ['a'] })).toThrow("depends on 'api (>= 2)'")
  })

  it('includes or leaves out Essential packages as the set says', () => {
    const packages = [{ name: 'a' }, { name: 'bash', fields: { Essential: 'yes', Depends: 'libc' } }, { name: 'libc' }]
    expect(resolve(packages, { request: ['a'], essential: 'included' })).toEqual([
      'a 1.0-1',
      'bash 1.0-1',
      'libc 1.0-1',
    ])
    expect(resolve(packages, { request: ['a'] })).toEqual(['a 1.0-1'])
  })

  it('leaves out assumed packages and the names that they provide', () => {
    const packages = [
      { name: 'a', fields: depends('debconf (>= 99) | debconf-2.0, cdebconf | debconf-2.0') },
      { name: 'debconf', fields: { Provides: 'debconf-2.0', Depends: 'perl' } },
      { name: 'cdebconf', fields: { Provides: 'debconf-2.0' } },
    ]
    expect(resolve(packages, { request: ['a'], assumed: ['debconf'] })).toEqual(['a 1.0-1'])
  })

  it('names the package whose dependency is in no suite', () => {
    const packages = [{ name: 'a', fields: depends('b (>= 2)') }, { name: 'b' }]
    const resolving = () => resolve(packages, { request: ['a', 'b'] })
    expect(resolving).toThrow("package 'a' 1.0-1 depends on 'b (>= 2)': the set has 1.0-1")
    expect(resolving).toThrow(expect.objectContaining({ hint: expect.stringContaining('HANGAR_DEBIAN_MIRROR=URL') }))
  })

  it('names a requested package that is in no suite', () => {
    const resolving = () => resolve([], { request: ['zstdd'] })
    expect(resolving).toThrow("package set 'toolchain' asks for 'zstdd', which no suite has for arm64")
    expect(resolving).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('https://packages.debian.org/zstdd') }),
    )
  })
})
