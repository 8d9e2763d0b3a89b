import { UserError } from '../../../errors.ts'
import type { Slot } from '../../../images/names.ts'
import { stopped } from '../../clock.ts'
import type { DeviceStatus, TrialState } from '../../ssh/status.ts'

/** The trial that a restart should start. */
export interface Expected {
  readonly id: string
  readonly slot: Slot
  readonly root: string
  /** The status of the host before the trial. The host returns to this state if the trial fails. */
  readonly before: DeviceStatus
  /** The time until the commit of the trial, in seconds of the host's own clock. */
  readonly seconds: number
}

/** The error for a host that does not answer, possibly because it restarts. */
export class NoAnswerError extends Error {
  /** Wraps an error that may disappear with time; throws all other errors. */
  static of(error: unknown): NoAnswerError {
    const passes = ['unreachable', 'login', 'agent']
    if (error instanceof UserError && passes.includes(error.code))
      return new NoAnswerError(error.message, { cause: error })
    throw error
  }
}

export function trialFailed(heard: TrialState, expected: Expected, reasons: readonly string[]): UserError {
  const { slot, root, state, update } = heard
  const { host } = expected.before
  if (slot === expected.slot && root === expected.root) {
    return new UserError(
      'update',
      `'${host}' runs slot ${slot} on the trial '${update?.id ?? 'none'}', wanted the trial '${expected.id}'`,
      {
        hint: `another controller may have started that trial; this controller did not commit it: npm run status ${host}`,
      },
    )
  }
  const own = update?.id === expected.id ? update.reason : undefined
  const why = own ?? (reasons.length > 0 ? `it waited for ${reasons.join(', ')}` : 'the host gives no reason')
  return new UserError(
    'update',
    `the trial of slot ${expected.slot} failed: ${why}; '${host}' runs slot ${slot} (root ${root.slice(0, 12)}, ${state})`,
    { hint: `the log of the trial: ssh root@${host} journalctl -b -1` },
  )
}

export function didNotReturn({ before: { host, slot: former }, slot, seconds }: Expected, last: unknown): UserError {
  return new UserError('update', `'${host}' did not come back after the restart into slot ${slot}${lastWord(last)}`, {
    hint: [
      `the trial is not committed: ${returns(former, seconds)}, or 15 s after a hang. Look again: npm run status ${host}.`,
      `If it stays away, switch its power off and on: it then boots slot ${former}`,
    ].join(' '),
    cause: last,
  })
}

type Terms = Pick<Expected, 'before' | 'slot' | 'seconds'>

/** The error for a commit without an answer: the host may or may not have received the commit. */
export function commitUnconfirmed({ before: { host, slot: former }, slot, seconds }: Terms, last: unknown): UserError {
  return new UserError(
    'update',
    `slot ${slot} of '${host}' is healthy, but the host did not confirm its commit${lastWord(last)}`,
    {
      hint: `see which slot is committed: npm run status ${host}. If slot ${slot} is not committed, ${returns(former, seconds)}`,
      cause: last,
    },
  )
}

/** The error for a command that the user stopped during a trial. The trial on the host continues. */
export function stoppedDuringTrial(
  { before: { host, slot: former }, slot, seconds }: Terms,
  cause: unknown,
): UserError {
  return stopped(
    `'${host}' restarts into a trial of slot ${slot}, and hangar no longer waits for the result`,
    [
      `unless slot ${slot} is committed already, ${returns(former, seconds)}: npm run status ${host}.`,
      'To try the slot again, run the same command again',
    ].join(' '),
    cause,
  )
}

export function trialTimedOut({ before: { host, slot: former }, slot }: Expected, reasons: readonly string[]) {
  const waits = reasons.length > 0 ? `: the host waits for ${reasons.join(', ')}` : ''
  return new UserError('update', `the trial of slot ${slot} of '${host}' did not end in time${waits}`, {
    hint: `slot ${slot} is not committed. Look at the host: npm run status ${host}. To return to slot ${former}, switch its power off and on`,
  })
}

export function notCommitted(status: DeviceStatus, slot: string, root: string): UserError {
  const { host, committed } = status
  const have = `slot ${status.slot} (root ${status.root.slice(0, 12)}) runs and '${committed}' is committed`
  return new UserError(
    'update',
    `'${host}' does not confirm the commit: ${have}, wanted slot ${slot} (root ${root.slice(0, 12)}) running and committed`,
    { hint: `look at the host: npm run status ${host}. Its next boot uses the slot that the host names as committed` },
  )
}

/** The error for a stopped revert. The revert continues without the command, because the host commits it by itself. */
export function stoppedDuringRevert({ before: { host }, slot }: Terms, cause: unknown): UserError {
  return stopped(
    `'${host}' restarts into slot ${slot} and commits it by itself when it is healthy`,
    `see the result first: npm run status ${host}. A second revert would boot the other slot again`,
    cause,
  )
}

function returns(former: Slot, seconds: number): string {
  return `the host returns to slot ${former} by itself within ${seconds} s of the trial's start`
}

function lastWord(last: unknown): string {
  return last instanceof Error ? `: ${last.message}` : ''
}
