import { UserError } from '../../../errors.ts'
import type { DeviceStatus, TrialState } from '../../ssh/status.ts'
import { stopped } from '../../stopped.ts'
import type { Expected } from './expected.ts'

/** Nothing was heard of a host that may be on its way. */
export class UnheardError extends Error {
  /** Throws errors that waiting cannot repair. */
  static of(error: unknown): UnheardError {
    const passes = ['unreachable', 'login', 'agent']
    if (error instanceof UserError && passes.includes(error.code))
      return new UnheardError(error.message, { cause: error })
    throw error
  }
}

export function fellBack(heard: TrialState, expected: Expected, reasons: readonly string[]): UserError {
  const { slot, root, state, update } = heard
  const { host } = expected.before
  if (slot === expected.slot && root === expected.root) {
    return new UserError(
      'update',
      `'${host}' runs slot ${slot} on another trial than this one, '${update?.id ?? 'none'}'`,
      {
        hint: `another controller is at work, or it is not committed: npm run status ${host}`,
      },
    )
  }
  const own = update?.id === expected.id ? update.reason : undefined
  const why = own ?? (reasons.length > 0 ? `it was waiting for ${reasons.join(', ')}` : 'it does not say why')
  return new UserError(
    'update',
    `'${host}' went back to slot ${slot} (root ${root.slice(0, 12)}, ${state}): the trial of slot ${expected.slot} failed: ${why}`,
    { hint: `what ran before runs again; the trial's log: ssh root@${host} journalctl -b -1` },
  )
}

export function neverBack({ before, slot, seconds }: Expected, last: unknown): UserError {
  return new UserError(
    'update',
    `'${before.host}' did not come back from the restart into slot ${slot}${lastWord(last)}`,
    {
      hint: [
        `by itself it goes back to slot ${before.slot} ${seconds} s after its start, or at a hang after 15 s;`,
        `look again: npm run status ${before.host}; switching it off and on ends on slot ${before.slot} too`,
      ].join(' '),
      cause: last,
    },
  )
}

type Terms = Pick<Expected, 'before' | 'slot' | 'seconds'>

/** The host may have heard it, or not. */
export function commitUnheard({ before, slot, seconds }: Terms, last: unknown): UserError {
  return new UserError(
    'update',
    `slot ${slot} of '${before.host}' is healthy; whether its commit arrived is not known${lastWord(last)}`,
    {
      hint: `if it did not, the host goes back to slot ${before.slot} by itself within ${seconds} s of its start: npm run status ${before.host}`,
      cause: last,
    },
  )
}

/** Whoever waited was stopped; the host was not. */
export function leftOnTrial({ before, slot, seconds }: Terms, cause: unknown): UserError {
  return stopped(
    `'${before.host}' was told to try slot ${slot}, and nobody waits for it any more`,
    `unless it is committed already it goes back to slot ${before.slot} by itself, within ${seconds} s of its start: npm run status ${before.host}; then the same command tries it again`,
    cause,
  )
}

export function neverDecided({ before, slot }: Expected, reasons: readonly string[]): UserError {
  const waits = reasons.length > 0 ? `: it waits for ${reasons.join(', ')}` : ''
  return new UserError('update', `the trial of slot ${slot} of '${before.host}' came to no end${waits}`, {
    hint: `it was not committed: switching it off and on ends on slot ${before.slot}; what it says: npm run status ${before.host}`,
  })
}

function lastWord(last: unknown): string {
  return last instanceof Error ? `: ${last.message}` : ''
}

export function notCommitted(status: DeviceStatus, slot: string, root: string): UserError {
  const { host, committed } = status
  const have = `slot ${status.slot} (root ${status.root.slice(0, 12)}) runs and '${committed}' is committed`
  return new UserError(
    'update',
    `read back from '${host}': ${have}, wanted slot ${slot} (root ${root.slice(0, 12)}) for both`,
    {
      hint: `look again: npm run status ${host}`,
    },
  )
}
