import type { UserError } from '../../errors.ts'
import { type DeviceStatus, otherSlot } from '../../flash/ssh/status.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { formatColumns } from '../display/table.ts'
import type { Generations } from '../generation-name.ts'
import { hostText } from './host-text.ts'

/** What became of looking at one host. */
export type Looked = { readonly host: string } & (
  | {
      readonly reachable: true
      readonly status: DeviceStatus
      readonly generations: Generations
    }
  | { readonly reachable: false; readonly error: UserError }
)

const HEADING = ['host', 'runs', 'slot', 'state', 'health', 'other slot', 'up', 'data']

/** A line a host, and under it what needs a sentence. */
export function statusText(looked: readonly Looked[]): string {
  return [formatColumns([HEADING, ...looked.map(row)]), ...looked.flatMap(notes)].join('\n')
}

/** One host, whole. */
export function oneStatusText(looked: Looked & { reachable: true }): string {
  const said = notes(looked)
  return [hostText(looked.host, looked.status, looked.generations), ...(said.length > 0 ? ['', ...said] : [])].join(
    '\n',
  )
}

function row(looked: Looked): string[] {
  if (!looked.reachable) return [looked.host, looked.error.code, '-', '-', '-', '-', '-', '-']
  const { host, status, generations } = looked
  const { slot, root, state, health, uptime, data } = status
  const other = status.slots[otherSlot(slot)]
  return [
    host,
    nameOf(root, generations),
    slot,
    state,
    health.state,
    other.state === 'bootable' ? nameOf(other.root, generations) : other.state,
    formatDuration(uptime * 1000),
    data?.state === 'mounted' ? `${formatSize(data.used)} of ${formatSize(data.size)}` : (data?.state ?? 'none'),
  ]
}

/** As short as a table wants it. */
function nameOf(root: string, generations: Generations): string {
  const number = generations.get(root)?.number
  return number === undefined ? root.slice(0, 12) : `${number} (${root.slice(0, 12)})`
}

function notes(looked: Looked): string[] {
  if (!looked.reachable) {
    const { message, hint } = looked.error
    return [`${looked.host}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])]
  }
  return facts(looked.status).map((fact) => `${looked.host}: ${fact}`)
}

function facts(status: DeviceStatus): string[] {
  const { health, update, lock, data, committed, slot, state, clock } = status
  const said: string[] = []
  if (health.state === 'unhealthy') said.push(`unhealthy: ${health.reasons.join(', ') || 'it does not say why'}`)
  if (state === 'trial') said.push(`slot ${slot} is on trial: ${update?.reason ?? 'nothing is decided yet'}`)
  if (state === 'fallback')
    said.push(`slot ${slot} runs as a fallback boot, but slot ${committed} is committed: reboot the host`)
  if (committed === 'damaged') said.push('the selector is damaged: start it again, which repairs it')
  if (update?.phase === 'reverted')
    said.push(
      `the last ${update.kind}, of slot ${update.slot}, was reverted: ${update.reason ?? 'it does not say why'}`,
    )
  if (lock !== null) said.push(`'${lock.owner}' updates it, last heard ${formatDuration(lock.age * 1000)} ago`)
  if (data?.state === 'failed') said.push(`its data volume cannot be used: ${data.reason ?? 'it does not say why'}`)
  if (clock.source === 'saved') said.push('no time server was heard since it started')
  return said
}
