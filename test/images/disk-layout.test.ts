import { describe, expect, it } from 'vitest'
import { diskLayout, GIB, MIB, partition } from '../../images/layout.ts'

const layout = diskLayout(8 * GIB)

describe('a disk’s layout', () => {
  it('puts all FAT partitions first and together', () => {
    expect(layout.partitions.map(({ name }) => name)).toEqual([
      'selector',
      'boot-a',
      'boot-b',
      'identity',
      'slot-a',
      'slot-b',
      'data',
    ])
  })

  it('leaves no gap and lets nothing overlap', () => {
    let end = 4 * MIB
    for (const { offset, size } of layout.partitions) {
      expect(offset).toBe(end)
      end += size
    }
    expect(layout.size).toBe(end + MIB)
  })

  it('starts every partition on an erase block', () => {
    expect(layout.partitions.filter(({ offset }) => offset % (4 * MIB) !== 0)).toEqual([])
  })

  it('numbers partitions as the firmware’s files name them: 2 is boot-a, 3 is boot-b', () => {
    expect([partition(layout, 'boot-a').number, partition(layout, 'boot-b').number]).toEqual([2, 3])
  })

  it('is the same for life: these offsets are on disks already', () => {
    expect(Object.fromEntries(layout.partitions.map(({ name, offset }) => [name, offset / MIB]))).toEqual({
      selector: 4,
      'boot-a': 20,
      'boot-b': 532,
      identity: 1044,
      'slot-a': 1076,
      'slot-b': 9268,
      data: 17460,
    })
  })

  it('refuses a slot size that is not whole erase blocks', () => {
    expect(() => diskLayout(8 * GIB + 1)).toThrow('slot size 8589934593 is not a multiple of 4194304 bytes')
  })
})
