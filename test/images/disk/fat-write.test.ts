import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../images/digest.ts'
import { blockSourceOf } from '../../../images/disk/block-source.ts'
import { openFat } from '../../../images/disk/fat-read.ts'
import { type FatKind, planFat } from '../../../images/disk/fat-write.ts'
import { MIB } from '../../../images/layout.ts'

const BOOT: Readonly<Record<string, Buffer>> = {
  'config.txt': Buffer.from('[all]\n'),
  'bcm2712-d-rpi-5-b.dtb': Buffer.alloc(26848, 'd'),
  'bcm2712-rpi-5-b.dtb': Buffer.alloc(26620, 'c'),
  'kernel_2712.img': Buffer.alloc(3 * MIB + 1, 'k'),
  'empty.txt': Buffer.alloc(0),
  'manifest.json.sig': Buffer.from('sig\n'),
  'thirteen.long': Buffer.from('13'),
  'twenty-six-characters.text': Buffer.from('26'),
  'manifest.json': Buffer.from('{}\n'),
}
const SELECTOR = { 'autoboot.txt': Buffer.alloc(512, '\n') }

const sizes = (files: Readonly<Record<string, Buffer>>) =>
  Object.entries(files).map(([name, { length }]) => ({ name, size: length }))

const bootPlan = planFat('fat32', 'adama-boot', sizes(BOOT))
const selectorPlan = planFat('fat16', 'selector', sizes(SELECTOR), 16 * MIB)

/** The bytes of the planned file system, with its files. */
function volume(kind: FatKind, files: Readonly<Record<string, Buffer>>, fixedSize?: number): Buffer {
  const plan = planFat(kind, 'label', sizes(files), fixedSize)
  const bytes = Buffer.alloc(plan.size)
  bytes.set(plan.head)
  for (const { name, offset } of plan.files) files[name]?.copy(bytes, offset)
  return bytes
}

describe.each<[FatKind, Readonly<Record<string, Buffer>>, number | undefined]>([
  ['fat32', BOOT, undefined],
  ['fat16', BOOT, 16 * MIB],
])('a %s file system', (kind, files, fixedSize) => {
  const bytes = volume(kind, files, fixedSize)
  const opened = openFat(blockSourceOf(bytes))

  it('a FAT file system lists its files by their long names, in the given order', () => {
    expect(opened.list()).toEqual(sizes(files))
  })

  it('a FAT file system returns the content of each file', () => {
    const wrong = Object.entries(files).filter(
      ([name, content]) => !content.equals(opened.read(name) ?? Buffer.from('?')),
    )
    expect(wrong.map(([name]) => name)).toEqual([])
  })

  it('a FAT file system has two equal allocation tables', () => {
    const [reserved, fatSize] = [bytes.readUInt16LE(14) * 512, (bytes.readUInt16LE(22) || bytes.readUInt32LE(36)) * 512]
    const table = (copy: number) => bytes.subarray(reserved + copy * fatSize, reserved + (copy + 1) * fatSize)
    expect(table(1).equals(table(0))).toBe(true)
  })
})

describe('planFat', () => {
  // fsck.fat 4.2 found no errors in file systems with these heads, and mtools 4.0.32 listed and read their files.
  it('writes the same FAT bytes for the same names and sizes', () => {
    expect([bootPlan.size, bootPlan.head.length, digestOf(bootPlan.head)]).toEqual([
      144 * MIB,
      614400,
      '435a9245a246f04959e208ce1d60ca41db1156c0052b492e0f773edaea545b26',
    ])
    expect([selectorPlan.size, selectorPlan.head.length, digestOf(selectorPlan.head)]).toEqual([
      16 * MIB,
      151552,
      'c5cd85cf85256dece1c93b76cb487622ce2f12ebc120c2fd14d000c9802e5234',
    ])
  })

  it('places every file at a 4 KiB boundary, one after the other after the head', () => {
    let end = bootPlan.head.length
    for (const { offset, size } of bootPlan.files) {
      expect(offset % 4096).toBe(0)
      expect(offset).toBe(end)
      end += Math.ceil(size / 4096) * 4096
    }
    expect(end).toBeLessThan(bootPlan.size)
  })

  it('gives autoboot.txt in the selector its own one-sector cluster', () => {
    expect(Buffer.from(selectorPlan.head).readUInt8(13)).toBe(1)
    expect(selectorPlan.files).toEqual([{ name: 'autoboot.txt', offset: 151552, size: 512 }])
  })

  it('makes FAT32 a multiple of 16 MiB, and large enough that drivers do not read it as FAT16', () => {
    const sizeFor = (mib: number) => planFat('fat32', 'label', [{ name: 'a', size: mib * MIB }]).size / MIB
    expect([0, 100, 140, 141, 156].map(sizeFor)).toEqual([144, 144, 144, 160, 160])
    expect(144 * MIB).toBeGreaterThan(65525 * 2048)
  })

  it('derives the volume id from the label', () => {
    const id = (label: string) => Buffer.from(planFat('fat32', label, []).head).readUInt32LE(67)
    expect(id('adama-boot')).toBe(id('adama-boot'))
    expect(id('adama-boot')).not.toBe(id('starbuck-boot'))
  })

  it('gives every file a unique short name, even if it replaces characters', () => {
    const names = ['a+b.txt', 'a_b.txt', 'a b.txt', 'a.b.txt', 'long-name-1.txt', 'long-name-2.txt']
    const head = Buffer.from(
      planFat(
        'fat16',
        'label',
        names.map((name) => ({ name, size: 1 })),
        16 * MIB,
      ).head,
    )
    const root = head.subarray(head.length - 512 * 32)
    const entries = Array.from({ length: 512 }, (_, at) => root.subarray(at * 32, at * 32 + 32))
    const short = entries.filter((entry) => entry[11] === 0x20).map((entry) => entry.toString('latin1', 0, 11))
    expect(short).toHaveLength(names.length)
    expect(new Set(short).size).toBe(names.length)
  })

  it('refuses files that do not fit and names both sizes', () => {
    expect(() => planFat('fat16', 'selector', [{ name: 'autoboot.txt', size: 17 * MIB }], 16 * MIB)).toThrow(
      'FAT file system of 16777216 bytes is too small for 17825792 bytes of files',
    )
    const last = 16 * MIB - selectorPlan.head.length
    expect(planFat('fat16', 'selector', [{ name: 'full', size: last }], 16 * MIB).files[0]?.size).toBe(last)
    expect(() => planFat('fat16', 'selector', [{ name: 'full', size: last + 1 }], 16 * MIB)).toThrow('is too small')
  })

  it('refuses more files than fit into the root directory', () => {
    const many = Array.from({ length: 64 }, (_, at) => ({ name: `file-${at}`, size: 1 }))
    expect(() => planFat('fat32', 'label', many)).toThrow('64 files do not fit into the root directory of 4096 bytes')
    expect(planFat('fat32', 'label', many.slice(0, 63)).files).toHaveLength(63)
  })
})

describe('a damaged FAT32 file system', () => {
  it('refuses a FAT32 file system whose root directory is a loop of clusters', () => {
    const bytes = volume('fat32', { 'config.txt': Buffer.from('x') })
    const table = bytes.readUInt16LE(14) * 512
    // The two clusters of the root directory, 2 and 3, point to each other.
    bytes.writeUInt32LE(2, table + 3 * 4)
    expect(() => openFat(blockSourceOf(bytes)).list()).toThrow('a cluster chain does not end')
  })
})
