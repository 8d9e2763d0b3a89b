import { UserError } from '../../../errors.ts'
import type { Manifest } from '../../../images/manifest.ts'
import type { Goal } from '../../goal.ts'
import type { DeviceStatus } from '../../ssh/status.ts'

/** 2025-11-05: bootloaders before it lose the trial flag or loop on GPT disks. */
export const OLDEST_FIRMWARE = 1_762_300_800
/** Seconds after which another controller's lock counts for nothing. */
const LOCK_LIFE = 600

/** Throws the first reason for which this image must not be written to this host now. The host checks again. */
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
  const [what, have, wanted] = wrong
  refuse(
    `the image is for the ${what} '${wanted}', what answers as '${status.host}' has the ${what} '${have}'`,
    what === 'disk layout'
      ? `a layout is for a disk's life: save its data, then npm run flash ${manifest.host} -- --disk DISK`
      : `look at the address in hosts/${manifest.host}.ts, and at '${manifest.host}' itself: npm run status`,
  )
}

const signature: Check = (_status, manifest) => {
  if (manifest.signature === 'signed') return
  refuse(
    `the image of '${manifest.host}' is unsigned, wanted a signature of a key that the host trusts`,
    `build it where the signing key is, or with HANGAR_SIGNING_KEY=FILE: npm run build:image ${manifest.host}`,
  )
}

const trial: Check = ({ host, state, slot, slots, committed, update }) => {
  if (state === 'trial') {
    const waits = update?.reason === undefined ? '' : `: ${update.reason}`
    refuse(
      `'${host}' tries slot ${slot} and has not decided yet${waits}`,
      `wait until it has, as 'npm run status ${host}' tells, or end the trial: npm run revert ${host}`,
    )
  }
  if (state === 'committed' && committed !== 'damaged') return
  const boots = committed === 'damaged' ? 'its selector is damaged' : `it boots slot ${committed}`
  const bootFallback = `boot slot ${slot} as a fallback, with today's data: ssh root@${host} 'dd if=/dev/zero of=/dev/disk/by-partlabel/boot-${committed} bs=4096 count=1 && reboot'`
  if (committed !== 'damaged' && slots[committed].state !== 'bootable') {
    refuse(
      `'${host}' runs slot ${slot}, and slot ${committed}, which is committed, cannot be read`,
      `${bootFallback}; then the same command`,
    )
  }
  const again = `start it again, which repairs autoboot.txt: switch it off and on, or ssh root@${host} reboot; then the same command`
  // What a firmware does not start from may still be read by Linux.
  const unlessRead = committed === 'damaged' ? '' : `. If it does not, ${bootFallback}`
  refuse(`'${host}' runs slot ${slot}, which is not committed: ${boots}`, `${again}${unlessRead}`)
}

const lock: Check = ({ host, lock: held }, _manifest, { owner }) => {
  if (held === null || held.owner === owner || held.age >= LOCK_LIFE) return
  refuse(
    `'${held.owner}' updates '${host}', and was last heard ${held.age} s ago`,
    `wait until that has ended; a lock that is not renewed ends after ${LOCK_LIFE} s`,
  )
}

const firmware: Check = ({ host, firmware: { version, time } }) => {
  if (time >= OLDEST_FIRMWARE) return
  const have = new Date(time * 1000).toISOString().slice(0, 10)
  refuse(
    `the bootloader (EEPROM) of '${host}' is of ${have} (${version}), wanted 2025-11-05 or newer: trials are not safe with older ones`,
    "write 'Misc utility images > Bootloader (Pi 5)' to another SD card with Raspberry Pi Imager, and start the board from it once: it updates the EEPROM, and blinks when it is done. The host's own image leaves the EEPROM alone",
  )
}

const size: Check = ({ host, slotSize }, { slot }) => {
  if (slotSize === undefined || slot.size <= slotSize) return
  refuse(
    `the image has ${slot.size} bytes, a slot of '${host}' ${slotSize}`,
    `take services out of hosts/${host}.ts; slots have their size for the disk's life`,
  )
}

const serial: Check = ({ host, trust }, manifest, { downgrade }) => {
  const [have, wanted] = [trust.serial, manifest.serial]
  const isSmaller = wanted.time < have.time || (wanted.time === have.time && wanted.number < have.number)
  if (!isSmaller || downgrade === 'allowed') return
  refuse(
    `the image's serial ${wanted.time}.${wanted.number} is smaller than what '${host}' has committed, ${have.time}.${have.number}`,
    `build with the newer lock, or raise 'number' in hosts/${host}.ts; if older is what you want: npm run flash ${host} -- --allow-downgrade`,
  )
}

const CHECKS: readonly Check[] = [image, signature, trial, lock, firmware, size, serial]

function refuse(message: string, hint: string): never {
  throw new UserError('update', `not flashed: ${message}`, { hint })
}
