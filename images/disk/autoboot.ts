import { UserError } from '../../errors.ts'
import { SECTOR } from '../layout.ts'
import type { Slot } from '../names.ts'

const PARTITION: Readonly<Record<Slot, number>> = { a: 2, b: 3 }

/**
 * autoboot.txt that boots one slot, and the other on trial: exactly one sector, and the two differ in their digits alone,
 * so that whatever a cut leaves of replacing one by the other is one of the two.
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

/** The slot that an autoboot.txt boots when nothing is on trial. */
export function parseAutoboot(bytes: Uint8Array): Slot {
  const text = Buffer.from(bytes).toString('latin1')
  for (const slot of ['a', 'b'] as const) if (text === Buffer.from(formatAutoboot(slot)).toString('latin1')) return slot
  throw new UserError('format', `autoboot.txt is neither of the two that hangar writes: '${text.slice(0, 60)}'`, {
    hint: 'the selector is damaged: it boots slot a until it is repaired',
  })
}
