import { describe, expect, it } from 'vitest'
import { type PackageSet, setKey } from '../../images/package-set.ts'
import { INITRAMFS, KERNEL, TOOLCHAIN, VM } from '../../images/sets.ts'

const SETS: readonly PackageSet[] = [TOOLCHAIN, KERNEL, INITRAMFS, VM]

describe('a package set', () => {
  it('has a key of name and architecture in the lock', () => {
    expect(setKey({ set: INITRAMFS, architecture: 'arm64' })).toBe('initramfs:arm64')
  })

  it('has a unique name', () => {
    expect(new Set(SETS.map(({ name }) => name)).size).toBe(SETS.length)
  })

  it.each(SETS)('$name requests each package once, and assumes none of them', ({ request, assumed }) => {
    const names = request.map((each) => each.split('/')[0] ?? '')
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => assumed.includes(name))).toEqual([])
  })
})
