import { UserError } from '../../../errors.ts'
import type { Clock } from '../../clock.ts'
import type { Agent } from '../../ssh/agent.ts'
import { AgentRefusal } from '../../ssh/answers.ts'
import { isUnreachable, persistently } from '../../ssh/persist.ts'
import type { DeviceStatus, TrialState } from '../../ssh/status.ts'
import {
  commitUnconfirmed,
  didNotReturn,
  type Expected,
  NoAnswerError,
  notCommitted,
  trialFailed,
  trialTimedOut,
} from './trial-failure.ts'

export interface Watch {
  readonly agent: Agent
  readonly clock: Clock
  readonly expected: Expected
  /** The time at which the wait ends, in milliseconds of the controller's clock. */
  readonly until: number
}

/**
 * The time to wait in addition to the trial's own time, in milliseconds: for the shutdown, the boot and the return to
 * the former slot.
 */
const SLACK = 300_000
const POLL = 2000
/** The time in milliseconds after which a host that still answers has not received the call to reboot. */
const GOING_DOWN = 90_000
/**
 * How long the host may delay an answer until its state changes, in seconds. Frequent questions would slow down its
 * boot.
 */
const PATIENCE = 20

/**
 * Restarts the host into the trial. From then on, the host returns to its former slot unless the trial is committed.
 */
export async function restart(agent: Agent, clock: Clock, expected: Expected): Promise<Watch> {
  await askToReboot(agent)
  return { agent, clock, expected, until: clock.now() + expected.seconds * 1000 + SLACK }
}

/** Waits until the host runs the armed trial. Throws if it comes back in any other state. */
export async function awaitTrial({ agent, clock, expected, until }: Watch): Promise<TrialState> {
  let asked = clock.now()
  for (let last: unknown; ; ) {
    await clock.sleep(POLL)
    const answer = await askState(agent)
    if (answer instanceof NoAnswerError) last = answer.cause
    // Only a changed boot id proves that the host has restarted.
    else if (answer.bootId !== expected.before.bootId) return requireTrial(answer, expected)
    else if (clock.now() - asked > GOING_DOWN) {
      await askToReboot(agent)
      asked = clock.now()
    }
    if (clock.now() > until) throw didNotReturn(expected, last)
  }
}

/** Waits until the host is healthy. Returns the services that wait for a missing device, in words. */
export async function awaitHealth({ agent, clock, expected, until }: Watch): Promise<readonly string[]> {
  for (let reasons: readonly string[] = []; ; ) {
    const answer = await askState(agent, PATIENCE)
    if (!(answer instanceof NoAnswerError)) {
      const { health } = requireTrial(answer, expected, reasons)
      if (health?.state !== 'unhealthy') return health?.waiting ?? []
      reasons = health.reasons
    }
    if (clock.now() > until) throw trialTimedOut(expected, reasons)
    await clock.sleep(POLL)
  }
}

/**
 * Commits the slot of the trial. If the answer is lost, repeats the call: a second commit of the same trial changes
 * nothing.
 */
export async function commitTrial(watch: Watch): Promise<void> {
  const { agent, clock, expected } = watch
  for (;;) {
    try {
      await persistently(clock, () => agent.commit(expected.id, expected.root))
      return
    } catch (error) {
      // Asks for the state: if the trial has ended in the meantime, the state contains the reason.
      if (isRefusal(error, 'state')) requireTrial(await persistently(clock, () => agent.state()), expected)
      if (isUnreachable(error)) throw commitUnconfirmed(expected, error)
      if (!isRefusal(error, 'unhealthy') || clock.now() > watch.until) throw error
      await clock.sleep(POLL)
      await awaitHealth(watch)
    }
  }
}

/** Waits until the host has committed the slot without the controller. */
export async function awaitCommit({ agent, clock, expected, until }: Watch): Promise<TrialState> {
  for (let reasons: readonly string[] = []; ; ) {
    const answer = await askState(agent, PATIENCE)
    if (!(answer instanceof NoAnswerError)) {
      const { state, health } = requireTrial(answer, expected, reasons)
      if (state === 'committed') return answer
      reasons = health?.state === 'unhealthy' ? health.reasons : []
    }
    if (clock.now() > until) throw trialTimedOut(expected, reasons)
    await clock.sleep(POLL)
  }
}

/** Only the host's own status proves a commit; its answer to the call does not. */
export function requireCommitted(status: DeviceStatus, { slot, root }: Pick<Expected, 'slot' | 'root'>): DeviceStatus {
  const { state, committed } = status
  if (state === 'committed' && committed === slot && status.slot === slot && status.root === root) return status
  throw notCommitted(status, slot, root)
}

function requireTrial(heard: TrialState, expected: Expected, reasons: readonly string[] = []): TrialState {
  const { slot, root, state, update } = heard
  const isThere = slot === expected.slot && root === expected.root
  if (isThere && state === 'trial' && update?.id === expected.id) return heard
  // Accepts a committed slot too: a trial that commits itself may do so before the controller's first question.
  if (isThere && state === 'committed') return heard
  throw trialFailed(heard, expected, reasons)
}

function isRefusal(error: unknown, refusal: AgentRefusal['refusal']): boolean {
  return error instanceof AgentRefusal && error.refusal === refusal
}

/** Ignores a broken answer: the host may shut down before it has sent the complete answer. */
async function askToReboot(agent: Agent): Promise<void> {
  await agent.reboot().catch((error) => {
    if (!isUnreachable(error)) throw error
  })
}

/**
 * Keeps waiting if a booting host refuses the login or has no agent yet. A wrong host key ends the wait immediately.
 */
async function askState(agent: Agent, patience = 0): Promise<TrialState | NoAnswerError> {
  try {
    return await agent.state(patience)
  } catch (error) {
    if (error instanceof UserError && error.code === 'program') throw withoutController(agent.host, error)
    return NoAnswerError.of(error)
  }
}

/** This machine can no longer ask the host. The trial does not depend on that. */
function withoutController(host: string, error: UserError): UserError {
  return new UserError('program', `${error.message}. The trial of '${host}' goes on without hangar`, {
    hint: `${error.hint}. Then see the result: npm run status ${host}`,
    cause: error,
  })
}
