import { describe, expect, it } from 'vitest'
import { type PackageSet, setKey } from '../../images/package-set.ts'
import { INITRAMFS, KERNEL, TOOLCHAIN, VM } from '../../images/sets.ts'

const SETS: readonly PackageSet[] = [TOOLCHAIN, KERNEL, INITRAMFS, VM]

describe('a package set', () => {
  it('the key of a package set in the lock has its name and architecture', () => {
    expect(setKey({ set: INITRAMFS, architecture: 'arm64' })).toBe('initramfs:arm64')
  })

  it('every package set has a unique name', () => {
    expect(new Set(SETS.map(({ name }) => name)).size).toBe(SETS.length)
  })

  it.each(SETS)(
    'the package set $name requests each package once, and assumes none of them',
    ({ request, assumed }) => {
      const names = request.map((each) => each.split('/')[0] ?? '')
      expect(new Set(names).size).toBe(names.length)
      expect(names.filter((name) => assumed.includes(name))).toEqual([])
    },
  )
})
