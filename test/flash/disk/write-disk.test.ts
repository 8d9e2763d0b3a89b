import { closeSync, openSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planDiskWrite } from '../../../flash/disk/plan.ts'
import { readBack } from '../../../flash/disk/read-back.ts'
import { cutImage, openSourceImage } from '../../../flash/disk/source-image.ts'
import { sizeOf, writeDisk } from '../../../flash/disk/write-disk.ts'
import { readGpt } from '../../../images/disk/gpt-read.ts'
import { layoutOnDisk, MIB, type PartitionName, partition } from '../../../images/layout.ts'
import { CachedDisk } from '../../helpers/cached-disk.ts'
import { listProgress } from '../../helpers/progress-list.ts'
import { firmwareOn, planFor, SMALL_IDENTITY, type SmallDisk, smallDisk } from '../../helpers/small-disk.ts'

async function written(small: SmallDisk, disk = new CachedDisk(small.host.disk), data: 'format' | 'keep' = 'format') {
  const plan = await planFor(small, data)
  const progress = listProgress()
  await writeDisk(disk, plan, { image: small.image, progress })
  return { disk, plan, progress, layout: layoutOnDisk(small.host.slotSize, small.host.disk) }
}

const at = (small: SmallDisk, name: PartitionName) =>
  partition(layoutOnDisk(small.host.slotSize, small.host.disk), name)

describe('a written disk', () => {
  it('writes two partition tables for the real size of the disk, and a selector that boots slot a', async () => {
    const { disk, layout } = await written(await smallDisk())
    const wanted = layout.partitions.map(({ name, offset, size }) => expect.objectContaining({ name, offset, size }))
    expect(readGpt(disk.source())).toEqual(wanted)
    disk.damage(512)
    expect(readGpt(disk.source())).toEqual(wanted)
    expect(firmwareOn(disk.source())).toMatchObject({ outcome: 'start', partition: 2 })
  })

  it('writes the identity, and no record of another host', async () => {
    const small = await smallDisk()
    const identity = at(small, 'identity')
    const used = new CachedDisk(small.host.disk)
    await used.write(identity.offset + 8 * MIB, Buffer.from('hangar-record 1\n'))
    const { disk } = await written(small, used)
    expect(Buffer.from(disk.source().read(identity.offset, identity.size)).equals(Buffer.from(SMALL_IDENTITY))).toBe(
      true,
    )
  })

  it('leaves the identity partition blank if the host creates its identity', async () => {
    const small = await smallDisk()
    const layout = layoutOnDisk(small.host.slotSize, small.host.disk)
    const image = await cutImage(openSourceImage(small.host, small.output), [])
    const plan = planDiskWrite({ host: 'tiny', layout, image, identity: undefined, data: 'keep' })
    const parts = plan.unbootable.flatMap(({ parts }) => parts)
    expect(parts.find(({ what }) => what === 'identity')).toMatchObject({ size: 32 * MIB, content: { kind: 'zeros' } })
  })

  it('reports progress, and no notices if every write succeeds', async () => {
    const { progress, plan } = await written(await smallDisk())
    const size = sizeOf(plan.unbootable)
    expect(progress.ended).toEqual(['write', 'read back', 'make bootable'])
    expect(progress.bytes.get('write')).toEqual({ advanced: size, total: size })
    expect(progress.bytes.get('read back')).toEqual({ advanced: size, total: size })
    expect(progress.notices).toEqual([])
  })
})

describe('data on the disk', () => {
  /** The offsets that a first boot checks before it formats (overlays/device/system/data.sh). */
  const CHECKED = [0, 64 * 1024, 4 * MIB - 1, 64 * MIB + 64]

  it.each([
    ['format', 0],
    ['keep', 7],
  ] as const)('erases or keeps the data on the disk as the plan states: %s', async (fate, left) => {
    const small = await smallDisk()
    const data = at(small, 'data')
    const used = new CachedDisk(small.host.disk)
    const places = [...CHECKED, data.size - 1]
    for (const place of places) await used.write(data.offset + place, Uint8Array.of(7))
    const { disk } = await written(small, used, fate)
    for (const place of places) expect(disk.source().read(data.offset + place, 1)[0]).toBe(left)
  })
})

/** A disk that loses one byte of a write. */
class BadDisk extends CachedDisk {
  private readonly bad: number
  /** The number of the first write that damages the byte. */
  private readonly from: number

  constructor(size: number, bad: number, from = 0) {
    super(size)
    this.bad = bad
    this.from = from
  }

  override async flush(): Promise<void> {
    await super.flush()
    if (this.writes >= this.from) this.damage(this.bad)
  }
}

describe('a disk that does not keep its bytes', () => {
  it.each<[string, (small: SmallDisk) => number]>([
    ['slot-a', (small) => at(small, 'slot-a').offset + 5000],
    ['boot-a', (small) => at(small, 'boot-a').offset + 4096],
    ['old backup table', (small) => small.host.disk - 512],
    ['end of data', (small) => at(small, 'data').offset + at(small, 'data').size - 100],
  ])(
    'reports the damaged part of a disk that loses bytes (%s), and leaves the disk unbootable',
    async (what, place) => {
      const small = await smallDisk()
      const disk = new BadDisk(small.host.disk, place(small))
      const progress = listProgress()
      const plan = await planFor(small)
      await expect(writeDisk(disk, plan, { image: small.image, progress })).rejects.toMatchObject({
        code: 'digest',
        message: expect.stringContaining(`'${what}' differs, bytes `),
      })
      expect(firmwareOn(disk.source()).outcome).toBe('stuck')
      expect(progress.notices).toEqual([
        "'a disk' is incomplete and not bootable; to write it from the beginning, run the same command again",
      ])
    },
  )

  it('makes the disk unbootable again if it loses bytes of the last write', async () => {
    const small = await smallDisk()
    const count = (await written(small)).disk.writes
    // The last write is the partition table.
    const disk = new BadDisk(small.host.disk, 446 + 20, count)
    const plan = await planFor(small)
    await expect(writeDisk(disk, plan, { image: small.image, progress: listProgress() })).rejects.toMatchObject({
      message: expect.stringContaining("'partition table' differs"),
    })
    expect(firmwareOn(disk.source()).outcome).toBe('stuck')
  })

  it('reports no damage on an undamaged disk (negative control)', async () => {
    const { disk, plan } = await written(await smallDisk())
    const [image] = plan.unbootable.slice(-1)
    await expect(readBack(disk, image ? [image] : [], { advance: () => undefined })).resolves.toBeUndefined()
  })
})

describe('an interrupted write', () => {
  it('an interrupted write leaves an unbootable disk, and the next write completes it', async () => {
    const small = await smallDisk()
    const before = await written(await smallDisk({ kernel: 'old one' }))
    const plan = await planFor(small)
    const progress = listProgress()
    const stop = new AbortController()
    const disk = before.disk.watchedBy(() => {
      if (disk.writes === 9) stop.abort(new Error('Ctrl-C'))
    })
    const options = { image: small.image, progress }
    await expect(writeDisk(disk, plan, { ...options, signal: stop.signal })).rejects.toThrow('Ctrl-C')
    expect(disk.writes).toBe(9)
    expect(firmwareOn(disk.source()).outcome).toBe('stuck')
    expect(progress.notices.join()).toContain('incomplete and not bootable')
    await writeDisk(disk, plan, options)
    expect(firmwareOn(disk.source())).toMatchObject({ outcome: 'start', partition: 2 })
  })
})

describe('an image', () => {
  it('refuses an image that differs from its block map before the first write', async () => {
    const small = await smallDisk()
    const slot = at(small, 'slot-a').offset
    damageFile(small.image, slot + 4096)
    await expect(planFor(small)).rejects.toMatchObject({
      code: 'digest',
      message: expect.stringMatching(/^'.*tiny\.img' differs from its block map in the range from byte \d+$/),
    })
  })

  it('leaves an unbootable disk if the image changes during the write', async () => {
    const small = await smallDisk()
    const plan = await planFor(small)
    damageFile(small.image, at(small, 'slot-a').offset + 4096)
    const disk = new CachedDisk(small.host.disk)
    await expect(writeDisk(disk, plan, { image: small.image, progress: listProgress() })).rejects.toMatchObject({
      message: "the image changed while hangar wrote its part 'slot-a' to 'a disk'",
    })
    expect(firmwareOn(disk.source()).outcome).toBe('stuck')
  })

  it.each([
    [
      'was not built',
      { name: 'other', slotSize: 8 * MIB },
      "other.img' does not exist",
      'build the image: npm run build:image other',
    ],
    [
      'has other slots',
      { name: 'tiny', slotSize: 12 * MIB },
      'do not have the size that hosts/tiny.ts states',
      'build the image: npm run build:image tiny',
    ],
  ])('refuses an image that %s', async (_, host, said, hint) => {
    const { output } = await smallDisk()
    expect(() => openSourceImage({ disk: 32e9, ...host }, output)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(said), hint }),
    )
  })
})

function damageFile(path: string, offset: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(0xaa), 0, 1, offset)
  closeSync(file)
}
