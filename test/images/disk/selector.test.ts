import { describe, expect, it } from 'vitest'
import { formatAutoboot, parseAutoboot } from '../../../images/disk/selector.ts'
import { diskLayout, GIB, partition } from '../../../images/layout.ts'

const a = Buffer.from(formatAutoboot('a'))
const b = Buffer.from(formatAutoboot('b'))

describe('autoboot.txt', () => {
  it('autoboot.txt boots the committed slot, and the other slot on trial', () => {
    expect(a.toString().trimEnd()).toBe('[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3')
    expect(b.toString().trimEnd()).toBe('[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2')
  })

  it('autoboot.txt uses the partition numbers of the layout', () => {
    const layout = diskLayout(8 * GIB)
    const numbers = [...a.toString().matchAll(/boot_partition=(\d)/g)].map(([, number]) => Number(number))
    expect(numbers).toEqual([partition(layout, 'boot-a').number, partition(layout, 'boot-b').number])
  })

  it('autoboot.txt has exactly one sector for both slots', () => {
    expect([a.length, b.length]).toEqual([512, 512])
  })

  it('autoboot.txt differs between the slots in two digits only, so that a torn write leaves one of the two', () => {
    const differing = [...a.keys()].filter((at) => a[at] !== b[at])
    expect(differing).toHaveLength(2)
    expect(differing.map((at) => [String.fromCharCode(a[at] ?? 0), String.fromCharCode(b[at] ?? 0)])).toEqual([
      ['2', '3'],
      ['3', '2'],
    ])
  })

  it('reads the slot from autoboot.txt that it was written for', () => {
    expect([parseAutoboot(a), parseAutoboot(b)]).toEqual(['a', 'b'])
  })

  it.each([
    ['truncated', a.subarray(0, 511)],
    ['with the same slot twice', Buffer.from(a.toString().replace('boot_partition=3', 'boot_partition=2'))],
    ['of zeros', Buffer.alloc(512)],
  ])('refuses an autoboot.txt %s', (_what, bytes) => {
    expect(() => parseAutoboot(bytes)).toThrow(
      expect.objectContaining({
        code: 'format',
        message: expect.stringMatching(/^autoboot\.txt is not one of the two versions that hangar writes: '/),
        hint: 'the selector is damaged: the firmware boots slot a until the initramfs repairs it',
      }),
    )
  })
})
