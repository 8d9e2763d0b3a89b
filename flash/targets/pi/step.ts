import type { Slot } from '../../../images/names.ts'
import { formatSize } from '../../../lib/format.ts'
import type { Goal } from '../../goal.ts'
import type { Part } from '../../ssh/agent.ts'
import type { Transfer } from '../../transfer/transfer.ts'
import type { RevertData, StepDescription } from '../target.ts'

interface Aim {
  readonly slot: Slot
  readonly root: string
}

/** Steps that updates and reverts have in common. */
type TrialStep =
  /** Restarts the host and waits until it is back. */
  | ({ readonly kind: 'restart' } & Aim)
  /** Reads from the host which slot is committed. */
  | ({ readonly kind: 'confirm' } & Aim)

/** A step of an update. `atMost` is the largest number of bytes to send, before compression. */
export type UpdateStep =
  | TrialStep
  /** Sends the host's own keys, new keys first. */
  | { readonly kind: 'identity'; readonly atMost: number }
  /** Begins a write: the host checks signature and serial, and from then on refuses other controllers. */
  | { readonly kind: 'begin'; readonly slot: Slot; readonly downgrade: Goal['downgrade'] }
  | { readonly kind: 'tree'; readonly slot: Slot; readonly atMost: number }
  | { readonly kind: 'blocks'; readonly part: Part; readonly transfer: Transfer; readonly atMost: number }
  /** Finishes a write: the host reads every block back, and only then makes the slot bootable. */
  | ({ readonly kind: 'finish' } & Aim)
  /** Releases the host's lock. `slot` is the slot that the update wrote, if any. */
  | { readonly kind: 'release'; readonly slot?: Slot }
  | ({ readonly kind: 'arm' } & Aim)
  | { readonly kind: 'health' }
  | ({ readonly kind: 'commit' } & Aim)

export type RevertStep =
  | TrialStep
  | ({ readonly kind: 'arm-revert'; readonly data: RevertData } & Aim)
  /** Waits until the host has committed the slot without the controller. */
  | ({ readonly kind: 'await-commit' } & Aim)

export type PiStep = UpdateStep | RevertStep

export function isWriting({ kind }: PiStep): boolean {
  return kind === 'tree' || kind === 'blocks' || kind === 'finish'
}

export function describeStep(step: PiStep): StepDescription {
  const name = nameOf(step)
  const about = aboutOf(step)
  return {
    ...(about === undefined ? { name } : { name, about }),
    atMost: 'atMost' in step ? step.atMost : 0,
    services: step.kind === 'restart' ? 'stop' : 'run',
  }
}

/** The name of the step in progress displays and results. */
export function nameOf(step: PiStep): string {
  switch (step.kind) {
    case 'identity':
      return 'send the host its keys'
    case 'begin':
      return `begin slot ${step.slot}`
    case 'tree':
      return 'send the hash tree'
    case 'blocks':
      return step.part === 'slot' ? 'send the slot' : 'send the boot files'
    case 'finish':
      return `verify slot ${step.slot}`
    case 'release':
      return 'release the lock'
    case 'arm':
      return `arm a trial of slot ${step.slot}`
    case 'arm-revert':
      return `arm slot ${step.slot}`
    case 'restart':
      return `restart into slot ${step.slot}`
    case 'health':
      return 'wait for health'
    case 'commit':
      return `commit slot ${step.slot}`
    case 'await-commit':
      return `wait for the commit of slot ${step.slot}`
    case 'confirm':
      return 'read back'
  }
}

function aboutOf(step: PiStep): string | undefined {
  switch (step.kind) {
    case 'identity':
      return 'the keys of its identity that it lacks; the host keeps its former keys'
    case 'begin': {
      const older = step.downgrade === 'allowed' ? '; an older serial is allowed' : ''
      return `the host checks the signature and makes the slot unbootable, unless the slot already holds this image${older}`
    }
    case 'tree':
      return formatSize(step.atMost)
    case 'blocks': {
      const which = step.transfer.kind === 'full' ? 'every block' : 'the blocks that the host lacks, at most'
      return `${which} ${formatSize(step.atMost)}`
    }
    case 'finish':
      return 'the host reads every block back, then makes the slot bootable'
    case 'release':
      return step.slot === undefined ? undefined : `slot ${step.slot} is ready; the next flash starts its trial`
    case 'arm':
      return `only the next boot is a trial of slot ${step.slot}; every other boot uses the slot that runs now`
    case 'arm-revert':
      return `only the next boot is a trial of slot ${step.slot}, with ${dataOf(step.data, step.slot)}`
    case 'restart':
      return `services stop; the host must return with root ${step.root.slice(0, 12)}`
    case 'health':
      return 'an unhealthy host returns to the slot that runs now'
    case 'commit':
      return `every later boot uses slot ${step.slot}`
    case 'await-commit':
      return 'the host commits the slot when it is healthy'
    case 'confirm':
      return `the host reports that slot ${step.slot} with root ${step.root.slice(0, 12)} is committed`
  }
}

function dataOf(data: RevertData, slot: Slot): string {
  return data === 'carried' ? "today's data" : `the data that slot ${slot} left`
}
