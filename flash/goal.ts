import { UserError } from '../errors.ts'
import type { Transfer } from './transfer/transfer.ts'

/** The wanted result of an update. */
export interface Goal {
  /** `stage` only writes the inactive slot. The host does not boot the slot before the next `update`. */
  readonly kind: 'update' | 'stage'
  readonly transfer: Transfer
  readonly downgrade: 'refused' | 'allowed'
  /** The time for a trial to become healthy, in seconds of the host's own clock. */
  readonly trialSeconds: number
  /**
   * The name of this controller in the update lock of a host: `user@machine:project`.
   */
  readonly owner: string
}

/** The flags of `flash` that choose the goal. */
export interface GoalFlags {
  readonly stage?: true
  readonly full?: true
  readonly allowDowngrade?: true
  readonly trialSeconds?: string
}

export const TRIAL_SECONDS = 300
const SHORTEST = 60
const LONGEST = 3600

export function goalOf({ stage, full, allowDowngrade, trialSeconds }: GoalFlags, owner: string): Goal {
  return {
    kind: stage ? 'stage' : 'update',
    transfer: { kind: full ? 'full' : 'missing' },
    downgrade: allowDowngrade ? 'allowed' : 'refused',
    trialSeconds: trialSeconds === undefined ? TRIAL_SECONDS : parseTrialSeconds(trialSeconds),
    owner,
  }
}

function parseTrialSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= SHORTEST && seconds <= LONGEST) return seconds
  throw new UserError('usage', `'--trial-seconds ${text}': wanted a whole number from ${SHORTEST} to ${LONGEST}`, {
    hint: `omit '--trial-seconds' for the default of ${TRIAL_SECONDS}`,
  })
}

/** Replaces spaces and characters that a shell would interpret, because the name is an argument of a remote command. */
export function ownerName(user: string, machine: string, project: string): string {
  return `${user}@${machine}:${project}`.replaceAll(/[^A-Za-z0-9_.@:/-]/g, '_').slice(0, 128)
}
