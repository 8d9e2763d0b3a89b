/** What somebody wants of an update. */
export interface Goal {
  /** `stage` ends with a whole slot that nothing boots. */
  readonly kind: 'update' | 'stage'
  /** `full` sends every block without asking what is missing. */
  readonly transfer: 'missing' | 'full'
  readonly downgrade: 'refused' | 'allowed'
  /** Who drives it, for the host's lock: `user@machine:project`. */
  readonly owner: string
}

/** As the flags of `flash` are given. */
export interface GoalFlags {
  readonly stage?: true
  readonly full?: true
  readonly allowDowngrade?: true
}

export function goalOf({ stage, full, allowDowngrade }: GoalFlags, owner: string): Goal {
  return {
    kind: stage ? 'stage' : 'update',
    transfer: full ? 'full' : 'missing',
    downgrade: allowDowngrade ? 'allowed' : 'refused',
    owner,
  }
}

/** A name for the lock that has no spaces and nothing that a shell would read. */
export function ownerName(user: string, machine: string, project: string): string {
  return `${user}@${machine}:${project}`.replaceAll(/[^A-Za-z0-9_.@:/-]/g, '_').slice(0, 128)
}
