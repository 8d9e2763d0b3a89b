import { UserError } from '../../../errors.ts'
import type { Manifest } from '../../../images/manifest.ts'
import type { Goal } from '../../goal.ts'
import type { DeviceStatus } from '../../ssh/status.ts'

/**
 * The oldest EEPROM release that hangar accepts, 2025-11-05. Older bootloaders lose the trial flag, or restart forever
 * on GPT disks.
 */
export const OLDEST_FIRMWARE = 1_762_300_800
/** The time in seconds after which the host ignores the lock of another controller. */
const LOCK_LIFE = 600

/** Throws if the host must not get this image now, with the first reason. The host itself checks the image again. */
export function requireUpdatable(status: DeviceStatus, manifest: Manifest, goal: Goal): void {
  for (const check of CHECKS) check(status, manifest, goal)
}

type Check = (status: DeviceStatus, manifest: Manifest, goal: Goal) => void

const image: Check = (status, manifest) => {
  const facts = [
    ['host', status.host, manifest.host],
    ['board', status.board, manifest.board],
    ['disk layout', String(status.layout), String(manifest.layout)],
  ] as const
  const wrong = facts.find(([, have, wanted]) => have !== wanted)
  if (wrong === undefined) return
  const [fact, have, wanted] = wrong
  refuse(
    `the image is for ${fact} '${wanted}', but the device reports ${fact} '${have}'`,
    fact === 'disk layout'
      ? `an update cannot change the layout of a disk. Save the data of '${manifest.host}', then write the whole disk: npm run flash ${manifest.host} -- --disk DISK`
      : `check the address in hosts/${manifest.host}.ts, and which device answers there: npm run status ${manifest.host}`,
  )
}

const signature: Check = (_status, manifest) => {
  if (manifest.signature === 'signed') return
  refuse(
    `the image of '${manifest.host}' is unsigned, wanted a signature by a key that the host trusts`,
    `build the image where the signing key is, or name the key: HANGAR_SIGNING_KEY=FILE npm run build:image ${manifest.host}`,
  )
}

const trial: Check = ({ host, state, slot, slots, committed, update }) => {
  if (state === 'trial') {
    const waits = update?.reason === undefined ? '' : `: ${update.reason}`
    refuse(
      `'${host}' runs slot ${slot} on trial, and the trial has not ended${waits}`,
      `wait until the trial has ended (npm run status ${host}), or end it now: npm run revert ${host}`,
    )
  }
  if (state === 'committed' && committed !== 'damaged') return
  if (committed === 'damaged') {
    refuse(
      `'${host}' runs slot ${slot}, which is not committed: its selector (autoboot.txt) is damaged`,
      `${reboot(host)}: every boot repairs the selector. ${THEN_AGAIN}`,
    )
  }
  if (slots[committed].state !== 'bootable') {
    refuse(
      `'${host}' runs slot ${slot} as a fallback boot: the committed slot ${committed} is ${slots[committed].state}`,
      `${replaceCommitted(host, slot, committed)}. ${THEN_AGAIN}`,
    )
  }
  // Also offers to replace the committed slot, because the firmware may be unable to boot a slot that Linux can read.
  refuse(
    `'${host}' runs slot ${slot} as a fallback boot: slot ${committed} is committed`,
    `${reboot(host)}. ${THEN_AGAIN}. If '${host}' boots slot ${slot} again, ${replaceCommitted(host, slot, committed)}`,
  )
}

const THEN_AGAIN = 'Then run the same command again'

function reboot(host: string): string {
  return `reboot it: ssh root@${host} reboot, or switch the power off and on`
}

/**
 * The hint with the command that makes the host commit the running slot: without its first block, the committed slot
 * cannot boot.
 */
function replaceCommitted(host: string, slot: string, committed: string): string {
  const command = `dd if=/dev/zero of=/dev/disk/by-partlabel/boot-${committed} bs=4096 count=1 && reboot`
  return `replace slot ${committed} by slot ${slot}, with today's data: ssh root@${host} '${command}'`
}

const lock: Check = ({ host, lock: held }, _manifest, { owner }) => {
  if (held === null || held.owner === owner || held.age >= LOCK_LIFE) return
  refuse(
    `'${held.owner}' updates '${host}': its last call was ${held.age} s ago`,
    `wait until that update has ended. The lock expires ${LOCK_LIFE} s after its last call`,
  )
}

const firmware: Check = ({ host, firmware: { version, time } }) => {
  if (time >= OLDEST_FIRMWARE) return
  const have = new Date(time * 1000).toISOString().slice(0, 10)
  refuse(
    `the bootloader (EEPROM) of '${host}' is from ${have} (${version}), wanted 2025-11-05 or newer: older ones can lose the trial flag`,
    [
      "write 'Misc utility images > Bootloader (Pi 5)' to another SD card with Raspberry Pi Imager, and boot the board",
      'from that card once. It updates the EEPROM and blinks when the update is done. Then boot the host from its own disk',
    ].join(' '),
  )
}

const size: Check = ({ host, slotSize }, { slot }) => {
  if (slotSize === undefined || slot.size <= slotSize) return
  refuse(
    `the image has ${slot.size} bytes, a slot of '${host}' has ${slotSize}`,
    `remove services from hosts/${host}.ts: an update cannot change the size of a slot`,
  )
}

const serial: Check = ({ host, trust }, manifest, { downgrade }) => {
  const [have, wanted] = [trust.serial, manifest.serial]
  const isSmaller = wanted.time < have.time || (wanted.time === have.time && wanted.number < have.number)
  if (!isSmaller || downgrade === 'allowed') return
  refuse(
    `the image's serial ${wanted.time}.${wanted.number} is smaller than the committed serial of '${host}', ${have.time}.${have.number}`,
    `build with the newer lock file, or raise 'number' in hosts/${host}.ts. To install an older image on purpose: npm run flash ${host} -- --allow-downgrade`,
  )
}

const CHECKS: readonly Check[] = [image, signature, trial, lock, firmware, size, serial]

function refuse(message: string, hint: string): never {
  throw new UserError('update', `not flashed: ${message}`, { hint })
}
