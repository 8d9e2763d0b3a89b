import { join } from 'node:path'
import { cutsOf, type DataFate, planDiskWrite } from '../../flash/disk/plan.ts'
import { cutImage, openSourceImage } from '../../flash/disk/source-image.ts'
import type { DiskHost } from '../../flash/disk/target.ts'
import { decideBoot } from '../../flash/vm/firmware.ts'
import { CURRENT_EEPROM, POWER_ON } from '../../flash/vm/firmware-state.ts'
import type { BlockSource } from '../../images/disk/block-source.ts'
import { identityPartition } from '../../images/identity/partition.ts'
import { layoutOnDisk, MIB } from '../../images/layout.ts'
import { assemblePi, type SmallLayers, smallFile, smallImage } from './small-image.ts'
import { tempDirectory } from './temp.ts'

export interface SmallDiskOptions {
  readonly slotSize?: number
  readonly layers?: SmallLayers
  readonly kernel?: string
  readonly disk?: number
}

/** A host with a small built image that the emulated firmware boots. */
export async function smallDisk({
  slotSize = 8 * MIB,
  layers,
  kernel = 'kernel',
  disk = 2.4e9,
}: SmallDiskOptions = {}) {
  const directory = await tempDirectory()
  const output = join(directory, 'out')
  const file = (name: string, text: string) => smallFile(directory, name, text)
  const bootFiles = {
    'config.txt': file('config.txt', 'arm_64bit=1\n'),
    'bcm2712-rpi-5-b.dtb': file('dtb', 'device tree'),
    'kernel_2712.img': file('kernel_2712.img', kernel.repeat(2000)),
  }
  await assemblePi(smallImage(directory, output, { slotSize, bootFiles, ...layers }))
  const host: DiskHost = { name: 'tiny', slotSize, disk }
  return { directory, output, host, image: join(output, 'tiny.img') }
}

export type SmallDisk = Awaited<ReturnType<typeof smallDisk>>

export const SMALL_IDENTITY = identityPartition(Buffer.from('an identity'))

/** The plan to write a disk of the host's size. */
export async function planFor({ host, output }: SmallDisk, data: DataFate = 'format') {
  const layout = layoutOnDisk(host.slotSize, host.disk)
  const image = await cutImage(openSourceImage(host, output), cutsOf(layout))
  return planDiskWrite({ host: host.name, layout, image, identity: SMALL_IDENTITY, data })
}

export function firmwareOn(disk: BlockSource) {
  return decideBoot(disk, POWER_ON, CURRENT_EEPROM)
}
