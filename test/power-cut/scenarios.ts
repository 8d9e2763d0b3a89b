import { type AgentStep, agentSteps } from './agent-steps.ts'
import type { Cut } from './cut-points.ts'
import { writeDisk } from './disk-file.ts'
import { isIn, place, sideAt } from './expectation.ts'
import type { Recording } from './recording.ts'
import { type ChangeKind, problemsAt, withChange } from './recording-cuts.ts'

/** A cut after which a virtual machine boots the disk. */
export interface Scenario {
  readonly about: string
  readonly slot: 'a' | 'b'
  readonly phase: 'writing' | 'reverted' | 'committed'
  /** Default: the update. */
  readonly change?: ChangeKind
  /** True for a cut of this scenario. The test uses the first such cut. `step` finds a step of the agent by its name. */
  readonly at: (cut: Cut, step: (name: string) => AgentStep) => boolean
}

export const SCENARIOS: readonly Scenario[] = [
  {
    about: 'in the middle of a write to the slot',
    ...{ slot: 'a', phase: 'writing' },
    at: ({ kind, pieces: [piece] }, step) =>
      kind === 'torn' && piece !== undefined && isIn('slot-b', piece.entry) && piece.entry.number > step('slot').first,
  },
  {
    about: 'between the first sector, which makes the slot bootable, and the record that says so',
    ...{ slot: 'a', phase: 'writing' },
    at: ({ id }, step) => id === `prefix@${step('first sector').last}`,
  },
  {
    about: 'in the middle of the first superblock, on trial',
    ...{ slot: 'a', phase: 'reverted' },
    at: ({ id, pieces: [piece] }, step) =>
      id.endsWith(':first') &&
      piece?.entry.offset === place('data').offset + 64 * 1024 &&
      piece.entry.number > step('record: trial').last,
  },
  {
    about: 'between the intent to commit and the commit',
    ...{ slot: 'a', phase: 'reverted' },
    at: ({ id }, step) => id === `prefix@${step('record: committing').last}`,
  },
  {
    about: 'right after the commit',
    ...{ slot: 'b', phase: 'committed' },
    at: ({ id }, step) => id === `prefix@${step('selector').last}`,
  },
  {
    about: 'right after a start of the committed slot began',
    ...{ slot: 'b', phase: 'committed', change: 'restart' },
    at: ({ id }, step) => id === `prefix@${step('record: a start begins').last}`,
  },
]

/** Writes the disk after the cut to a file. Returns the value that the service's data must have. */
export function diskAt({ at, change: kind = 'update' }: Scenario, recording: Recording, path: string): string {
  const steps = withChange(recording, kind, (_base, log, { range }) => agentSteps(log, range))
  const step = (wanted: string) => {
    const found = steps.filter(({ name }) => name === wanted).at(-1)
    if (found === undefined) throw new Error(`the ${kind} has no step '${wanted}'`)
    return found
  }
  let probe: string | undefined
  const isFirst = (cut: Cut) => probe === undefined && at(cut, step)
  problemsAt(recording, kind, isFirst, (disk, change, cut) => {
    writeDisk(disk, recording.base, path)
    probe = sideAt(cut, change).probe
    return undefined
  })
  if (probe === undefined) throw new Error(`the ${kind} has no such cut`)
  return probe
}
