import { UserError } from '../errors.ts'

/** What somebody wants of an update. */
export interface Goal {
  /** `stage` ends with a whole slot that nothing boots. */
  readonly kind: 'update' | 'stage'
  /** `full` sends every block without asking what is missing. */
  readonly transfer: 'missing' | 'full'
  readonly downgrade: 'refused' | 'allowed'
  /** How long a trial may take to become healthy, on the host's own clock. */
  readonly trialSeconds: number
  /** Who drives it, for the host's lock: `user@machine:project`. */
  readonly owner: string
}

/** As the flags of `flash` are given. */
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
    transfer: full ? 'full' : 'missing',
    downgrade: allowDowngrade ? 'allowed' : 'refused',
    trialSeconds: trialSeconds === undefined ? TRIAL_SECONDS : parseTrialSeconds(trialSeconds),
    owner,
  }
}

function parseTrialSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= SHORTEST && seconds <= LONGEST) return seconds
  throw new UserError('usage', `'--trial-seconds ${text}': wanted a whole number from ${SHORTEST} to ${LONGEST}`, {
    hint: `leave it out for ${TRIAL_SECONDS}`,
  })
}

/** A name for the lock that has no spaces and nothing that a shell would read. */
export function ownerName(user: string, machine: string, project: string): string {
  return `${user}@${machine}:${project}`.replaceAll(/[^A-Za-z0-9_.@:/-]/g, '_').slice(0, 128)
}
