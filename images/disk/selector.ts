import { UserError } from '../../errors.ts'
import { SECTOR, SELECTOR_SIZE } from '../layout.ts'
import type { Slot } from '../names.ts'
import { planFat } from './fat-write.ts'

/** The selector's file system. Its only file is autoboot.txt: with more files the firmware may boot from it. */
export interface Selector {
  /** The bytes of the partition before the first file. */
  readonly head: Uint8Array
  /** Position of the one sector of autoboot.txt, in sectors of 512 bytes from the start of the partition. */
  readonly sector: number
  /** The two contents of the sector of autoboot.txt, by the slot that each one boots. */
  readonly autoboot: Readonly<Record<Slot, Uint8Array>>
}

export function planSelector(): Selector {
  const autoboot = { a: formatAutoboot('a'), b: formatAutoboot('b') }
  const { head, files } = planFat('fat16', 'selector', [{ name: 'autoboot.txt', size: SECTOR }], SELECTOR_SIZE)
  return { head, sector: (files[0]?.offset ?? 0) / SECTOR, autoboot }
}

const PARTITION: Readonly<Record<Slot, number>> = { a: 2, b: 3 }

/**
 * The autoboot.txt that boots one slot, and the other slot on trial. It fills one sector, and the two versions differ only
 * in two digits: a power cut while one replaces the other leaves one of the two.
 */
export function formatAutoboot(committed: Slot): Uint8Array {
  const trial = committed === 'a' ? 'b' : 'a'
  const text = [
    '[all]',
    'tryboot_a_b=1',
    `boot_partition=${PARTITION[committed]}`,
    '[tryboot]',
    `boot_partition=${PARTITION[trial]}`,
    '',
  ].join('\n')
  return Buffer.from(text.padEnd(SECTOR, '\n'), 'latin1')
}

/** The slot that autoboot.txt boots when no trial is armed. */
export function parseAutoboot(bytes: Uint8Array): Slot {
  const text = Buffer.from(bytes).toString('latin1')
  for (const slot of ['a', 'b'] as const) if (text === Buffer.from(formatAutoboot(slot)).toString('latin1')) return slot
  throw new UserError(
    'format',
    `autoboot.txt is not one of the two versions that hangar writes: '${text.slice(0, 60)}'`,
    {
      hint: 'the selector is damaged: the firmware boots slot a until the initramfs repairs it',
    },
  )
}
