import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../../builder/outputs/segment.ts'
import { planBoot } from '../../../../builder/platforms/pi/boot.ts'
import { planDisk } from '../../../../builder/platforms/pi/disk.ts'
import { planSlot } from '../../../../builder/platforms/pi/slot.ts'
import { digestOf } from '../../../../images/digest.ts'
import type { BlockSource } from '../../../../images/disk/block-source.ts'
import { openFat } from '../../../../images/disk/fat-read.ts'
import { readGpt } from '../../../../images/disk/gpt-read.ts'
import { formatAutoboot, planSelector } from '../../../../images/disk/selector.ts'
import { BLOCK, diskLayout, MIB, type PartitionName, partition, SECTOR } from '../../../../images/layout.ts'
import { smallFile, smallLayer } from '../../../helpers/small-image.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

const layout = diskLayout(8 * MIB)

/** The bytes of a planned disk, in memory: ranges between segments are zeros. */
function reader(segments: readonly Segment[], size: number, start = 0): BlockSource {
  const bytesOf = ({ source }: Segment) => ('bytes' in source ? source.bytes : Buffer.alloc(0))
  return {
    size,
    read(from, length) {
      const out = Buffer.alloc(length)
      for (const segment of segments) {
        const at = segment.offset - start - from
        const bytes = bytesOf(segment)
        if (at < length && at + bytes.length > 0)
          out.set(bytes.subarray(Math.max(0, -at), length - at), Math.max(0, at))
      }
      return out
    },
  }
}

async function disk(): Promise<Segment[]> {
  const directory = await tempDirectory()
  const boot = planBoot('tiny', { 'config.txt': { text: 'arm_64bit=1\n' }, 'cmdline.txt': { text: 'quiet\n' } })
  return planDisk(layout, 'tiny', boot, planSlot([smallLayer(directory, 'base', 'ab')], 8 * MIB))
}

function volume(segments: readonly Segment[], name: PartitionName) {
  const { offset, size } = partition(layout, name)
  return openFat(reader(segments, size, offset))
}

function on(name: PartitionName, segments: readonly Segment[]): Segment[] {
  const { offset, size } = partition(layout, name)
  return segments.filter((segment) => segment.offset < offset + size && segment.offset + segment.size > offset)
}

describe('planDisk', () => {
  it('writes the partitions of the layout', async () => {
    const found = readGpt(reader(await disk(), layout.size))
    expect(found.map(({ name, offset, size }) => [name, offset, size])).toEqual(
      layout.partitions.map(({ name, offset, size }) => [name, offset, size]),
    )
  })

  it('writes a backup partition table that can replace the primary one', async () => {
    const [, ...others] = await disk()
    expect(readGpt(reader(others, layout.size)).map(({ name }) => name)).toContain('slot-b')
  })

  it('writes a selector that contains only autoboot.txt, which boots slot a', async () => {
    const selector = volume(await disk(), 'selector')
    expect(selector.list()).toEqual([{ name: 'autoboot.txt', size: 512 }])
    expect(Buffer.from(selector.read('autoboot.txt') ?? '').equals(Buffer.from(formatAutoboot('a')))).toBe(true)
  })

  it('writes autoboot.txt to one sector, which the device can compare and replace', async () => {
    const segments = await disk()
    const { offset } = partition(layout, 'selector')
    const { head, sector, autoboot } = planSelector()
    const read = (at: number, length: number) => Buffer.from(reader(segments, layout.size).read(offset + at, length))
    expect(read(0, head.length).equals(Buffer.from(head))).toBe(true)
    expect(read(sector * SECTOR, SECTOR).equals(Buffer.from(autoboot.a))).toBe(true)
  })

  it('writes the boot files to boot-a', async () => {
    const boot = volume(await disk(), 'boot-a')
    expect(boot.list().map(({ name }) => name)).toEqual(['config.txt', 'cmdline.txt'])
    expect(Buffer.from(boot.read('cmdline.txt') ?? '').toString()).toBe('quiet\n')
  })

  it.each<PartitionName>(['identity', 'slot-b', 'data'])('writes nothing to %s', async (name) => {
    expect(on(name, await disk())).toEqual([])
  })

  it('writes zeros to the first block of boot-b, so that old content of an SD card does not boot', async () => {
    const [first, ...others] = on('boot-b', await disk())
    expect(first).toMatchObject({ offset: partition(layout, 'boot-b').offset, source: { bytes: Buffer.alloc(BLOCK) } })
    expect(others).toEqual([])
  })

  it('a disk consists of whole blocks in order, without overlaps', async () => {
    const segments = await disk()
    segments.forEach(({ offset, size }, index) => {
      expect([offset % BLOCK, size % BLOCK]).toEqual([0, 0])
      expect(offset + size).toBeLessThanOrEqual(segments[index + 1]?.offset ?? layout.size)
    })
  })
})

describe('planBoot', () => {
  it('places the last files so that their changes move no other file', async () => {
    const directory = await tempDirectory()
    const kernel = smallFile(directory, 'kernel', 'k'.repeat(BLOCK + 1))
    const plan = (text: string) => planBoot('tiny', { kernel, 'cmdline.txt': { text } }).segments
    expect(plan('one')[1]).toEqual(plan('another')[1])
    expect(plan('one')[2]?.offset).toBe(plan('another')[2]?.offset)
  })

  it('does not read files that the existing image already contains', async () => {
    const kernel = smallFile(await tempDirectory(), 'kernel', 'k'.repeat(BLOCK + 1))
    const { size, segments } = planBoot('tiny', { kernel })
    rmSync(kernel.file)
    const state = { size, mtimeMs: 0, segments, sha256: undefined }
    expect(planBoot('tiny', { kernel }, state).segments).toEqual(segments)
    const other = { ...kernel, digest: digestOf('another kernel') }
    expect(() => planBoot('tiny', { kernel: other }, state)).toThrow('ENOENT')
  })

  it('refuses files that do not fit into the partition', () => {
    const kernel = { file: '/not/there', size: 512 * MIB, digest: '0'.repeat(64) as never }
    expect(() => planBoot('tiny', { kernel, small: { text: 'x' } })).toThrow(
      expect.objectContaining({
        code: 'size',
        message: 'the boot files take 554 MB, but their partition has 537 MB; the largest: kernel 537 MB, small 1 B',
        hint: expect.stringContaining('initramfs'),
      }),
    )
  })
})
