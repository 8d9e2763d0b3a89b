import { SECTOR, SELECTOR_SIZE } from '../layout.ts'
import type { Slot } from '../names.ts'
import { formatAutoboot } from './autoboot.ts'
import { planFat } from './fat-write.ts'

/** The selector's file system: autoboot.txt and nothing else, or the firmware may start from it. */
export interface Selector {
  /** Everything before the first file, from the partition's start. */
  readonly head: Uint8Array
  /** Where autoboot.txt's one sector lies, in sectors of 512 bytes from the partition's start. */
  readonly sector: number
  /** The sector, by the slot that it boots. */
  readonly autoboot: Readonly<Record<Slot, Uint8Array>>
}

export function planSelector(): Selector {
  const autoboot = { a: formatAutoboot('a'), b: formatAutoboot('b') }
  const { head, files } = planFat('fat16', 'selector', [{ name: 'autoboot.txt', size: SECTOR }], SELECTOR_SIZE)
  return { head, sector: (files[0]?.offset ?? 0) / SECTOR, autoboot }
}
