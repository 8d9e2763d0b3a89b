import { describe, expect, it } from 'vitest'
import { diskLayout, GIB, layoutOnDisk, MIB, partition } from '../../images/layout.ts'

const layout = diskLayout(8 * GIB)

describe('diskLayout', () => {
  it('the layout puts all FAT partitions first, without others in between', () => {
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

  it('leaves no gap and no overlap between partitions', () => {
    let end = 4 * MIB
    for (const { offset, size } of layout.partitions) {
      expect(offset).toBe(end)
      end += size
    }
    expect(layout.size).toBe(end + MIB)
  })

  it('begins every partition at an erase block', () => {
    expect(layout.partitions.filter(({ offset }) => offset % (4 * MIB) !== 0)).toEqual([])
  })

  it('gives boot-a the number 2 and boot-b the number 3, as autoboot.txt expects', () => {
    expect([partition(layout, 'boot-a').number, partition(layout, 'boot-b').number]).toEqual([2, 3])
  })

  it('never changes the offsets of partitions, because existing disks use them', () => {
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

  it('refuses a slot size that is not a multiple of the erase block', () => {
    expect(() => diskLayout(8 * GIB + 1)).toThrow('the slot size 8589934593 is not a multiple of 4194304 bytes')
  })

  it('reserves space after data for the backup partition table', () => {
    const data = partition(layout, 'data')
    expect(layout.size - (data.offset + data.size)).toBeGreaterThanOrEqual(33 * 512)
  })

  it('gives both slots the same size, and both boot partitions the same size', () => {
    const size = (name: Parameters<typeof partition>[1]) => partition(layout, name).size
    expect([size('boot-b'), size('slot-b')]).toEqual([size('boot-a'), size('slot-a')])
    expect(size('slot-a')).toBe(8 * GIB)
  })

  it('larger slots do not change the offsets of earlier partitions', () => {
    const larger = diskLayout(24 * GIB)
    expect(larger.partitions.slice(0, 4)).toEqual(layout.partitions.slice(0, 4))
    expect(partition(larger, 'slot-a').offset).toBe(partition(layout, 'slot-a').offset)
  })

  it('the layout names every partition', () => {
    expect(layout.partitions.map(({ name }) => partition(layout, name))).toEqual(layout.partitions)
    expect(() => partition({ ...layout, partitions: [] }, 'data')).toThrow("the layout has no partition 'data'")
  })
})

describe('layoutOnDisk', () => {
  const DISK = 64e9 + 512

  it('extends data to the backup partition table and changes no other partition', () => {
    const real = layoutOnDisk(8 * GIB, DISK)
    expect(real.partitions.slice(0, -1)).toEqual(layout.partitions.slice(0, -1))
    const { offset, size } = partition(real, 'data')
    expect([real.size, offset]).toEqual([DISK, partition(layout, 'data').offset])
    expect(size % 4096).toBe(0)
    expect(DISK - 33 * 512 - offset - size).toBeLessThan(4096)
    expect(DISK - 33 * 512 - offset - size).toBeGreaterThanOrEqual(0)
  })

  it('leaves less free space than the first boot would add to data (overlays/device/system/data.sh)', () => {
    const { offset, size } = partition(layoutOnDisk(8 * GIB, DISK), 'data')
    expect((DISK - offset - size) / 512).toBeLessThan(16384)
  })

  it('refuses a disk with less than 1 GiB for data', () => {
    const least = partition(layout, 'data').offset + GIB + 33 * 512
    expect(partition(layoutOnDisk(8 * GIB, least), 'data').size).toBe(GIB)
    expect(() => layoutOnDisk(8 * GIB, least - 512)).toThrow(
      expect.objectContaining({
        code: 'size',
        message: 'the disk is too small: it has 19.4 GB, the layout needs 19.4 GB',
        hint: 'use a larger disk: the layout has two slots of 8192 MiB and at least 1 GiB of data',
      }),
    )
  })
})
