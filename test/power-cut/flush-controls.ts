import type { BlockSource } from '../../images/disk/block-source.ts'
import { adama } from '../helpers/adama.ts'
import { type AgentStep, agentSteps } from './agent-steps.ts'
import { BtrfsReader } from './btrfs.ts'
import type { Cut } from './cut-points.ts'
import { type Change, dataProblem, expecting, isIn, part, place } from './expectation.ts'
import { sweep } from './sweep.ts'
import { Judge } from './verdict.ts'
import { changes, type LogEntry, overlaps, type WriteLog, withoutFlush } from './write-log.ts'

/** Result of a sweep over a log without some flushes of the agent (a negative control). */
export interface Control {
  /** Steps whose flushes are removed. */
  readonly steps: readonly string[]
  /** The step after them. */
  readonly next: string
  readonly tried: number
  readonly found: number
  /** Description of the first failure. */
  readonly first: string | undefined
}

interface Given {
  readonly base: BlockSource
  readonly log: WriteLog
  readonly change: Change
}

/** The largest number of steps whose flushes are removed together. */
const MOST = 4

/**
 * Removes the flushes after each step of the agent in turn, including other programs' flushes before the agent's next write.
 * While the sweep finds no failure, also removes the flushes of the next step. Also removes the writes to the data volume,
 * because their order depends on the same flushes.
 */
export function controls({ base, log, change }: Given): Control[] {
  const steps = agentSteps(log, change.range)
  const given = { base, log: withoutData(log), change, judge: new Judge() }
  return steps.slice(0, -1).flatMap((step, index) => {
    if (step.flushes.length === 0) return []
    let found: Control | undefined
    for (let count = 1; count <= MOST && (found?.found ?? 0) === 0; count++) {
      const next = steps[index + count]
      if (next !== undefined) found = control(given, steps.slice(index, index + count), next)
    }
    return found ?? []
  })
}

function control(
  { base, log, change, judge }: Given & { judge: Judge },
  steps: readonly AgentStep[],
  next: AgentStep,
): Control {
  const holed = withoutFlush(log, ...steps.flatMap(({ flushes }) => flushes))
  const range = { from: steps[0]?.first ?? 0, to: next.last + 1 }
  const { rows, failures } = sweep({ base, log: holed, range, judge, expected: expecting(change, 'no data') })
  const [first] = failures
  return {
    ...{ steps: steps.map(({ name }) => name), next: next.name, found: failures.length },
    tried: rows.reduce((sum, row) => sum + row.tried, 0),
    first: first === undefined ? undefined : `${first.id}: ${first.problems.join('; ')}`,
  }
}

/** One line for each control. Equal lines are counted. */
export function formatControls(rows: readonly Control[]): string {
  const lines = rows.map(({ steps: [step, ...others], next, found, first }) => {
    if (found === 0) return `no flush after '${step}': no failure`
    const together = others.length === 0 ? '' : `, nor after '${others.join("', '")}'`
    return `no flush after '${step}'${together}, before '${next}': ${first}`
  })
  const counts = new Map<string, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts].map(([line, count]) => (count === 1 ? line : `${line} (${count} times)`)).join('\n')
}

/**
 * Removes the data that the commit syncs, and the data that btrfs commits by its own timer, as on a machine that becomes
 * healthy before the timer. Returns the problem of the committed slot's data immediately after the commit.
 */
export function unwrittenData({ base, log, change }: Given): string | undefined {
  const reader = new BtrfsReader()
  const { selectorWrite, after, range } = change
  const last = lastSnapshot({ base, log, change }, reader)
  const isLost = ({ number }: LogEntry) => number > last && number < selectorWrite
  let problem: string | undefined
  sweep({
    ...{ base, range, only: ({ id }) => id === `prefix@${selectorWrite}` },
    log: without(log, (entry) => isLost(entry) && isIn('data', entry)),
    expected(_cut, _verdict, disk) {
      problem = dataProblem(reader, disk, after)
      return undefined
    },
  })
  return problem
}

/** Number of the write that completes the last snapshot of the trial. */
function lastSnapshot({ base, log, change: { range, selectorWrite, after } }: Given, reader: BtrfsReader): number {
  const copies = adama.services.map(({ name }) => `${name}@${after.slot}`)
  let last: number | undefined
  const isSuperblock = ({ id, entry }: Cut) =>
    last === undefined && id === `prefix@${entry}` && entry < selectorWrite && overlapsSuperblock(log.entries[entry])
  sweep({
    ...{ base, log, range, only: isSuperblock },
    expected(cut, _verdict, disk) {
      const { subvolumes } = reader.read(part(disk, 'data'))
      if (copies.every((name) => subvolumes.has(name) || subvolumes.has(`${name}.new`))) last = cut.entry
      return undefined
    },
  })
  if (last === undefined) throw new Error('the update has made no snapshots')
  return last
}

function overlapsSuperblock(entry: LogEntry | undefined): boolean {
  return entry !== undefined && changes(entry) && overlaps(entry, place('data').offset + 64 * 1024, 4096)
}

function withoutData(log: WriteLog): WriteLog {
  return without(log, (entry) => isIn('data', entry))
}

function without(log: WriteLog, isRemoved: (entry: LogEntry) => boolean): WriteLog {
  const removed = (entry: LogEntry) => changes(entry) && isRemoved(entry)
  return { ...log, entries: log.entries.map((entry) => (removed(entry) ? { ...entry, kind: 'nothing' } : entry)) }
}
