import type { BlockSource } from '../../images/disk/block-source.ts'
import { type AgentStep, agentSteps, isOfData } from './agent-steps.ts'
import { type Change, expecting } from './expectation.ts'
import { type ChangeKind, withChange } from './on-recording.ts'
import type { Recording } from './recording.ts'
import { sweep } from './sweep.ts'
import { type WriteLog, withoutFlush } from './write-log.ts'

/** What a sweep finds where the agent leaves out flushes. */
export interface Control {
  /** What was written before the flush that is left out, and before those that are left out with it. */
  readonly steps: readonly string[]
  /** What is written next. */
  readonly next: string
  readonly tried: number
  readonly found: number
  /** The first of it, in words. */
  readonly first: string | undefined
}

/** Flushes that are left out together at most, the next ones after the one that is asked about. */
const MOST = 4

/**
 * Leaves out each flush of the agent in turn; where nothing is found, the ones after it as well, until something is. With
 * the agent's go all that somebody else made by luck before its next write. The data volume's writes are left out too:
 * their order hangs on the same flushes, and is not the agent's.
 */
export function controls(recording: Recording, kind: ChangeKind): Control[] {
  return withChange(recording, kind, (base, log, change) => {
    const steps = agentSteps(log, change.range)
    const agents = withoutData(log)
    return steps.slice(0, -1).flatMap((step, index) => {
      if (step.flushes.length === 0) return []
      let found: Control | undefined
      for (let count = 1; count <= MOST && (found?.found ?? 0) === 0; count++) {
        const next = steps[index + count]
        if (next !== undefined) found = control({ base, log: agents, change }, steps.slice(index, index + count), next)
      }
      return found ?? []
    })
  })
}

interface Given {
  readonly base: BlockSource
  readonly log: WriteLog
  readonly change: Change
}

function control({ base, log, change }: Given, steps: readonly AgentStep[], next: AgentStep): Control {
  const holed = withoutFlush(log, ...steps.flatMap(({ flushes }) => flushes))
  const range = { from: steps[0]?.first ?? 0, to: next.last + 1 }
  const { rows, failures } = sweep({ base, log: holed, range, expected: expecting(change, 'no data') })
  const [first] = failures
  return {
    ...{ steps: steps.map(({ name }) => name), next: next.name, found: failures.length },
    tried: rows.reduce((sum, row) => sum + row.tried, 0),
    first: first === undefined ? undefined : `${first.id}: ${first.problems.join('; ')}`,
  }
}

/** One line a control. */
export function formatControls(rows: readonly Control[]): string {
  return rows
    .map(({ steps: [step, ...others], next, tried, found, first }) => {
      const together = others.length === 0 ? '' : ` (with those after ${others.join(', ')})`
      return `no flush after '${step}'${together}, before '${next}': ${found} of ${tried}${first ? `, first ${first}` : ''}`
    })
    .join('\n')
}

function withoutData(log: WriteLog): WriteLog {
  const entries = log.entries.map((entry) => (isOfData(entry) ? { ...entry, kind: 'nothing' as const } : entry))
  return { ...log, entries }
}
