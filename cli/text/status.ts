import type { HostStatus, ReachableHost } from '../../flash/host-status.ts'
import { type DeviceStatus, otherSlot, type SlotState } from '../../flash/ssh/status.ts'
import type { Slot } from '../../images/names.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { formatColumns } from '../display/table.ts'
import type { Generations } from './generation.ts'
import { bootStateText, hostStatusText } from './host-status.ts'

/** The generations of a host in this machine's store. */
type GenerationsOf = (host: string) => Generations

const HEADING = ['host', 'runs', 'slot', 'state', 'health', 'other slot', 'up', 'data']

/** A table with one line for each host, and then one line for each problem. */
export function statusTable(statuses: readonly HostStatus[], generations: GenerationsOf): string {
  return [
    formatColumns([HEADING, ...statuses.map((status) => row(status, generations))]),
    ...statuses.flatMap(notes),
  ].join('\n')
}

/** The complete status of one host. */
export function statusText(status: ReachableHost, generations: Generations): string {
  const found = notes(status)
  const text = hostStatusText(status.host, status.status, generations)
  return [text, ...(found.length > 0 ? ['', ...found] : [])].join('\n')
}

/**
 * The JSON of `status --json`: `{host, reachable, generations, status}` or `{host, reachable, error}` for each host.
 */
export function statusJson(statuses: readonly HostStatus[], generations: GenerationsOf): string {
  return JSON.stringify(
    statuses.map((status) => plain(status, generations)),
    undefined,
    2,
  )
}

function plain(entry: HostStatus, generationsOf: GenerationsOf): unknown {
  if (!entry.reachable) {
    const { code, message, hint = null } = entry.error
    return { host: entry.host, reachable: false, error: { code, message, hint } }
  }
  const { host, status } = entry
  const generations = generationsOf(host)
  const { a, b } = status.slots
  return { host, reachable: true, generations: { a: known(a, generations), b: known(b, generations) }, status }
}

/** The generation of a slot: `{number, built}`. Null if the slot is empty or the image is not in this store. */
function known(slot: SlotState, generations: Generations) {
  const generation = slot.state === 'bootable' ? generations.get(slot.root) : undefined
  return generation === undefined ? null : { number: generation.number, built: generation.built }
}

function row(entry: HostStatus, generationsOf: GenerationsOf): string[] {
  if (!entry.reachable) return [entry.host, entry.error.code, '-', '-', '-', '-', '-', '-']
  const { host, status } = entry
  const generations = generationsOf(host)
  const { slot, root, state, health, uptime, data } = status
  const other = status.slots[otherSlot(slot)]
  return [
    host,
    shortName(root, generations),
    slot,
    bootStateText(state),
    health.state,
    other.state === 'bootable' ? shortName(other.root, generations) : other.state,
    formatDuration(uptime * 1000),
    data?.state === 'mounted' ? `${formatSize(data.used)} of ${formatSize(data.size)}` : (data?.state ?? 'none'),
  ]
}

/** A generation's name for a table cell. */
function shortName(root: string, generations: Generations): string {
  const number = generations.get(root)?.number
  return number === undefined ? root.slice(0, 12) : `${number} (${root.slice(0, 12)})`
}

function notes(entry: HostStatus): string[] {
  if (!entry.reachable) {
    const { message, hint } = entry.error
    return [`${entry.host}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])]
  }
  return problems(entry.host, entry.status).map((problem) => `${entry.host}: ${problem}`)
}

const NO_REASON = 'the host gives no reason'

function problems(host: string, status: DeviceStatus): string[] {
  const { health, update, starts, lock, data, committed, slot, state, clock } = status
  const found: string[] = []
  if (health.state === 'unhealthy') found.push(`unhealthy: ${health.reasons.join(', ') || NO_REASON}`)
  found.push(...(health.waiting ?? []))
  if (state === 'trial') found.push(`slot ${slot} is on trial: ${update?.reason ?? 'no decision yet'}`)
  if (state === 'fallback')
    found.push(`slot ${slot} runs as a fallback boot, but slot ${committed} is committed; restart ${host}`)
  if (committed === 'damaged') found.push(`the selector is damaged; restart ${host} to repair it`)
  if (update?.phase === 'reverted')
    found.push(`the last ${update.kind}, of slot ${update.slot}, was reverted: ${update.reason ?? NO_REASON}`)
  if (starts !== undefined) found.push(...startProblems(host, slot, starts))
  if (lock !== null)
    found.push(`'${lock.owner}' is updating ${host}; last contact ${formatDuration(lock.age * 1000)} ago`)
  if (data?.state === 'failed') found.push(`the data volume cannot be used: ${data.reason ?? NO_REASON}`)
  if (clock.source === 'saved') found.push('no time server has answered since the last boot')
  return found
}

/** What the host has decided, or will decide, by itself because starts failed. */
function startProblems(host: string, slot: Slot, starts: NonNullable<DeviceStatus['starts']>): string[] {
  switch (starts.state) {
    case 'normal':
      return []
    case 'failing':
      return [`${starts.failed} starts of slot ${slot} in a row failed: ${starts.reason || NO_REASON}`]
    case 'left':
      return [
        `slot ${slot} took the place of slot ${starts.slot}: ${starts.reason || NO_REASON}; to install a repaired image: npm run flash ${host}`,
      ]
    case 'stays':
      return [
        `both slots fail, and slot ${slot} stays: ${starts.stays}; ${starts.reason || NO_REASON}; to install a repaired image: npm run flash ${host}`,
      ]
  }
}
