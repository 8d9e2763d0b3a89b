import { expect, it } from 'vitest'
import type { Part } from '../../../flash/disk/part.ts'
import type { DiskPlan } from '../../../flash/disk/plan.ts'
import { writeDisk } from '../../../flash/disk/write-disk.ts'
import { digestOf } from '../../../images/digest.ts'
import type { BlockSource } from '../../../images/disk/block-source.ts'
import { BLOCK, MIB } from '../../../images/layout.ts'
import { CachedDisk, type Found } from '../../helpers/cached-disk.ts'
import { listProgress } from '../../helpers/progress-list.ts'
import { firmwareOn, planFor, SMALL_IDENTITY, type SmallDisk, smallDisk } from '../../helpers/small-disk.ts'

type Range = Pick<Part, 'offset' | 'size' | 'digest'>

/** The parts that a bootable system needs: the image without its partition tables, and the identity without its zeros. */
function systemOf({ unbootable, bootable }: DiskPlan): Range[] {
  const parts = [...(unbootable.at(-1)?.parts ?? []), ...(bootable[0]?.parts ?? [])]
  const identity = parts.filter(({ what }) => what === 'identity').map(({ offset }) => ({ offset, ...FIRST_COPY }))
  return [...parts.filter(({ what }) => ['selector', 'boot-a', 'slot-a'].includes(what)), ...identity]
}

const FIRST_COPY = { size: BLOCK, digest: digestOf(SMALL_IDENTITY.subarray(0, BLOCK)) }

function isComplete(disk: BlockSource, parts: readonly Range[]): boolean {
  return parts.every(({ offset, size, digest }) => digestOf(disk.read(offset, size)) === digest)
}

/** Writes the disk. `broken` lists each state after a power cut in which an incomplete system boots. */
async function cutEverywhere(disk: CachedDisk, plan: DiskPlan, image: string, complete: readonly Range[][]) {
  const broken: string[] = []
  let unbootable = 0
  const cut = ({ how, disk: found }: Found) => {
    if (firmwareOn(found).outcome === 'stuck') unbootable += 1
    else if (!complete.some((parts) => isComplete(found, parts))) broken.push(how)
  }
  const watched = disk.watchedBy(cut)
  const ended = await writeDisk(watched, plan, { image, progress: listProgress() }).catch((error: Error) => error)
  return { broken, unbootable, watched, ended }
}

async function diskWith(small: SmallDisk) {
  const plan = await planFor(small)
  const disk = new CachedDisk(small.host.disk)
  await writeDisk(disk, plan, { image: small.image, progress: listProgress() })
  return { disk, parts: systemOf(plan) }
}

const OLD = { layers: { base: 'zyxw' }, kernel: 'old one' }

it.each([
  ['an empty disk', undefined],
  ['a disk that holds another generation', OLD],
  ['a disk with other sizes of slots', { ...OLD, slotSize: 16 * MIB }],
])('a power cut at any write to %s leaves an unbootable disk or a complete system', async (_, old) => {
  const small = await smallDisk()
  const before = old === undefined ? undefined : await diskWith(await smallDisk(old))
  const plan = await planFor(small)
  const complete = [systemOf(plan), ...(before === undefined ? [] : [before.parts])]
  const start = before?.disk ?? new CachedDisk(small.host.disk)
  const { broken, unbootable, watched, ended } = await cutEverywhere(start, plan, small.image, complete)
  expect({ ended, broken }).toEqual({ ended: undefined, broken: [] })
  expect(unbootable).toBeGreaterThan(100)
  expect(firmwareOn(watched.source())).toMatchObject({ outcome: 'start', partition: 2, tryboot: false })
  expect(isComplete(watched.source(), systemOf(plan))).toBe(true)
})

it.each<[string, (plan: DiskPlan) => DiskPlan]>([
  [
    'the old tables stayed until the end',
    ({ unbootable, bootable }) => ({ unbootable: unbootable.slice(2), bootable }),
  ],
  [
    'the boot sector and the tables came first',
    ({ unbootable, bootable }) => ({
      unbootable: [...unbootable.slice(0, 2), ...bootable, ...unbootable.slice(2)],
      bootable: [],
    }),
  ],
  [
    'there were no flush between the stages',
    ({ unbootable, bootable }) => ({
      unbootable: unbootable.slice(0, 2),
      bootable: [{ name: 'all', parts: [...(unbootable[2]?.parts ?? []), ...bootable.flatMap(({ parts }) => parts)] }],
    }),
  ],
])('an incomplete system would boot if %s (negative control)', async (_, change) => {
  const { disk, parts } = await diskWith(await smallDisk(OLD))
  const small = await smallDisk()
  const plan = await planFor(small)
  const { broken } = await cutEverywhere(disk, change(plan), small.image, [systemOf(plan), parts])
  expect(broken.length).toBeGreaterThan(0)
})
