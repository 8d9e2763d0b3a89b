import { UserError } from '../errors.ts'
import type { Transfer } from './transfer/transfer.ts'

/** The wanted result of an update. */
export interface Goal {
  /** `stage` only writes the inactive slot: no boot uses it until the next `update`. */
  readonly kind: 'update' | 'stage'
  readonly transfer: Transfer
  readonly downgrade: 'refused' | 'allowed'
  /** Seconds until a trial must be healthy, on the host's own clock. */
  readonly trialSeconds: number
  /** The controller's name in the host's lock: `user@machine:project`. */
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

/** A name for the lock without spaces and without characters that a shell would interpret. */
export function ownerName(user: string, machine: string, project: string): string {
  return `${user}@${machine}:${project}`.replaceAll(/[^A-Za-z0-9_.@:/-]/g, '_').slice(0, 128)
}
