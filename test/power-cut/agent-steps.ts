import { BLOCK, MIB, SECTOR } from '../../images/layout.ts'
import { isIn, place } from './expectation.ts'
import type { Range } from './sweep.ts'
import { changes, type LogEntry, type WriteLog } from './write-log.ts'

/** Writes of the agent that belong together, and the flushes before its next write. */
export interface AgentStep {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly flushes: readonly number[]
}

/** Steps of many writes. Flushes of other programs between them do not end the step. */
const IN_PIECES = ['slot', 'boot files']

/** All writes outside of the data volume, in order. Only the agent writes there. */
export function agentSteps(log: WriteLog, { from, to }: Range): AgentStep[] {
  const entries = log.entries.slice(from, to)
  const steps: { name: string; first: number; last: number; flushes: number[] }[] = []
  for (const entry of entries) {
    const step = steps.at(-1)
    if (entry.kind === 'flush') step?.flushes.push(entry.number)
    if (!changes(entry) || isIn('data', entry)) continue
    const name = nameOf(log, entry)
    // A flush ends a step. Two writes without a flush between them are one write that the kernel has split.
    if (step?.name === name && (step.flushes.length === 0 || IN_PIECES.includes(name))) step.last = entry.number
    else steps.push({ name, first: entry.number, last: entry.number, flushes: [] })
  }
  return steps
}

function nameOf(log: WriteLog, entry: LogEntry): string {
  const partition = (['selector', 'identity', 'boot-a', 'boot-b', 'slot-a', 'slot-b'] as const).find((name) =>
    isIn(name, entry),
  )
  if (partition === undefined) return 'partition table'
  const at = entry.offset - place(partition).offset
  if (partition === 'identity') return identityPart(log, entry, at)
  if (partition.startsWith('boot') && at < BLOCK) return firstBlockPart(log, entry)
  return { selector: 'selector', boot: 'boot files', slot: 'slot' }[partition.split('-')[0] ?? ''] ?? partition
}

function firstBlockPart(log: WriteLog, entry: LogEntry): string {
  const bytes = bytesOf(log, entry)
  if (bytes.every((byte) => byte === 0)) return 'first sector zeroed'
  return bytes.subarray(0, SECTOR).every((byte) => byte === 0) ? 'first block but its first sector' : 'first sector'
}

function identityPart(log: WriteLog, entry: LogEntry, at: number): string {
  if (at === 8 * MIB || at === 24 * MIB) return recordPart(textOf(log, entry))
  const copy = at < 8 * MIB ? 'first' : 'second'
  return `identity, ${copy} copy${at % (16 * MIB) < SECTOR ? '' : "'s rest"}`
}

/** A start that has begun and not ended is in the record until the host is healthy (overlays/device/agent/starts.sh). */
function recordPart(text: string): string {
  const begun = /^starts [ab] \d+ \d+ \d+ \d+$/m.test(text)
  return begun ? 'record: a start begins' : `record: ${/^phase (\S+)$/m.exec(text)?.[1]}`
}

function textOf(log: WriteLog, entry: LogEntry): string {
  return Buffer.from(bytesOf(log, entry)).toString('latin1')
}

function bytesOf(log: WriteLog, { dataAt, length, kind }: LogEntry): Uint8Array {
  const bytes = new Uint8Array(length)
  if (kind === 'write') log.read(dataAt, bytes)
  return bytes
}
