import { describe, expect, it } from 'vitest'
import { type PackageSet, setKey } from '../../images/package-set.ts'
import { INITRAMFS, KERNEL, TOOLCHAIN } from '../../images/sets.ts'
import { VM } from '../../images/vm-set.ts'

const SETS: readonly PackageSet[] = [TOOLCHAIN, KERNEL, INITRAMFS, VM]

describe('a package set', () => {
  it('is found in the lock by name and architecture', () => {
    expect(setKey({ set: INITRAMFS, architecture: 'arm64' })).toBe('initramfs:arm64')
  })

  it('has a name of its own', () => {
    expect(new Set(SETS.map(({ name }) => name)).size).toBe(SETS.length)
  })

  it.each(SETS)('of $name asks for each package once and assumes none that it asks for', ({ request, assumed }) => {
    const names = request.map((each) => each.split('/')[0] ?? '')
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => assumed.includes(name))).toEqual([])
  })
})
