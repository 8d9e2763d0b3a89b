import type { DeviceStatus } from '../../flash/ssh/status.ts'
import type { Slot } from '../../images/names.ts'
import { fingerprintOf } from '../../images/signature/openssh-key.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { formatColumns } from '../display/table.ts'
import { type Generations, nameGeneration } from './generation.ts'

/** The complete status of one host: the running image, both slots, data, clock, firmware and keys. */
export function hostStatusText(host: string, status: DeviceStatus, generations: Generations): string {
  const { slot, root, state, health } = status
  const image = nameGeneration(generations, root)
  const runs = `${host}: slot ${slot} runs ${image}, ${bootStateText(state)}, ${health.state}`
  return [runs, '', slotTable(status, generations), '', formatColumns(factRows(status))].join('\n')
}

export function bootStateText(state: DeviceStatus['state']): string {
  return state === 'fallback' ? 'fallback boot' : state
}

function slotTable(status: DeviceStatus, generations: Generations): string {
  const rows = (['a', 'b'] as const).map((slot) => slotRow(slot, status, generations))
  return formatColumns([['  slot', 'holds', 'built', 'serial', 'state'], ...rows])
}

function slotRow(
  slot: Slot,
  { slots, slot: running, committed, state: bootState }: DeviceStatus,
  generations: Generations,
) {
  const held = slots[slot]
  const state = [slot === running ? 'running' : '', slotState(slot, { running, committed, state: bootState })].filter(
    Boolean,
  )
  if (held.state !== 'bootable') return [`  ${slot}`, '-', '-', '-', [held.state, ...state].join(', ')]
  const built = generations.get(held.root)?.built
  return [
    `  ${slot}`,
    nameGeneration(generations, held.root),
    built === undefined ? 'elsewhere' : formatTime(Date.parse(built) / 1000),
    `${formatTime(held.serial.time)} / ${held.serial.number}`,
    state.join(', ') || 'bootable',
  ]
}

interface BootState {
  readonly running: Slot
  readonly committed: DeviceStatus['committed']
  readonly state: DeviceStatus['state']
}

function slotState(slot: Slot, { running, committed, state }: BootState): string {
  if (slot === committed) return 'committed'
  if (slot !== running || state === 'committed') return ''
  return state === 'trial' ? 'on trial' : 'fallback boot'
}

function factRows({ uptime, clock, data, firmware, kernel, identity, update }: DeviceStatus): string[][] {
  const booted = `${formatTime(clock.now - uptime)}, ${formatDuration(uptime * 1000)} ago`
  const source = clock.source === 'network' ? 'from a time server' : 'from the saved time; no time server has answered'
  const isMounted = data?.state === 'mounted'
  return [
    ['  booted', booted],
    ['  data', isMounted ? `${formatSize(data.used)} of ${formatSize(data.size)} used` : (data?.state ?? 'none')],
    ['  clock', `${formatTime(clock.now)}, ${source}`],
    ['  EEPROM', `${formatTime(firmware.time).slice(0, 10)} (${firmware.version})`],
    ['  kernel', kernel],
    ...(identity === undefined ? [] : [['  SSH key', sshKeys(identity.ssh)]]),
    ['  last', update === null ? 'no update since the disk was written' : lastUpdate(update)],
  ]
}

/** The newest key and the number of former keys. sshd uses the newest key now, or at the latest after the next boot. */
function sshKeys([newest, ...former]: readonly string[]): string {
  if (newest === undefined) return 'none'
  return former.length === 0 ? fingerprintOf(newest) : `${fingerprintOf(newest)}, and ${former.length} former`
}

function lastUpdate({ kind, slot, root, phase, reason }: NonNullable<DeviceStatus['update']>): string {
  const what = `${kind} of slot ${slot}${root === undefined ? '' : ` (root ${root.slice(0, 12)})`}: ${phase}`
  return reason === undefined ? what : `${what}: ${reason}`
}

/** Formats a time, in seconds since 1970, as `2026-11-25 02:31 UTC`. */
function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
