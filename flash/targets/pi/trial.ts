import type { Clock } from '../../clock.ts'
import type { Agent } from '../../ssh/agent.ts'
import { AgentRefusal } from '../../ssh/answers.ts'
import { isUnreachable, persistently } from '../../ssh/persist.ts'
import type { DeviceStatus, TrialState } from '../../ssh/status.ts'
import type { Expected } from './expected.ts'
import { commitUnheard, fellBack, neverBack, neverDecided, notCommitted, UnheardError } from './trial-failure.ts'

export interface Watch {
  readonly agent: Agent
  readonly clock: Clock
  readonly expected: Expected
  /** When, on the clock, waiting ends. */
  readonly until: number
}

/** Milliseconds beyond the trial's own: a shutdown, the trial's start and the way back. */
const SLACK = 300_000
const POLL = 2000
/** Milliseconds after which a host that still answers has not understood. */
const GOING_DOWN = 90_000
/** Seconds that one question may wait for something new: a host that starts has other things to do than to answer many. */
const PATIENCE = 20

/** Restarts the host; from here on the old slot comes back unless somebody commits. */
export async function restart(agent: Agent, clock: Clock, expected: Expected): Promise<Watch> {
  await askToReboot(agent)
  return { agent, clock, expected, until: clock.now() + expected.seconds * 1000 + SLACK }
}

/** Waits until the host is on the trial that was armed. Throws where it comes back as anything else. */
export async function awaitTrial({ agent, clock, expected, until }: Watch): Promise<TrialState> {
  let asked = clock.now()
  for (let last: unknown; ; ) {
    await clock.sleep(POLL)
    const heard = await look(agent)
    if (heard instanceof UnheardError) last = heard.cause
    else if (heard.bootId !== expected.before.bootId) return requireTrial(heard, expected)
    else if (clock.now() - asked > GOING_DOWN) {
      await askToReboot(agent)
      asked = clock.now()
    }
    if (clock.now() > until) throw neverBack(expected, last)
  }
}

/** Waits until everything that must run does. */
export async function awaitHealth({ agent, clock, expected, until }: Watch): Promise<void> {
  for (let reasons: readonly string[] = []; ; ) {
    const heard = await look(agent, PATIENCE)
    if (!(heard instanceof UnheardError)) {
      const { health } = requireTrial(heard, expected, reasons)
      if (health?.state !== 'unhealthy') return
      reasons = health.reasons
    }
    if (clock.now() > until) throw neverDecided(expected, reasons)
    await clock.sleep(POLL)
  }
}

/** Makes the trial's slot the one that boots. Asked again where the answer was lost: to commit twice is to commit once. */
export async function commitTrial(watch: Watch): Promise<void> {
  const { agent, clock, expected } = watch
  for (;;) {
    try {
      await persistently(clock, () => agent.commit(expected.id, expected.root))
      return
    } catch (error) {
      // What fell back meanwhile says why.
      if (isRefusal(error, 'state')) requireTrial(await persistently(clock, () => agent.state()), expected)
      if (isUnreachable(error)) throw commitUnheard(expected, error)
      if (!isRefusal(error, 'unhealthy') || clock.now() > watch.until) throw error
      await clock.sleep(POLL)
      await awaitHealth(watch)
    }
  }
}

/** Waits until the host has committed by itself. */
export async function awaitCommit({ agent, clock, expected, until }: Watch): Promise<TrialState> {
  for (let reasons: readonly string[] = []; ; ) {
    const heard = await look(agent, PATIENCE)
    if (!(heard instanceof UnheardError)) {
      const { state, health } = requireTrial(heard, expected, reasons)
      if (state === 'committed') return heard
      reasons = health?.state === 'unhealthy' ? health.reasons : []
    }
    if (clock.now() > until) throw neverDecided(expected, reasons)
    await clock.sleep(POLL)
  }
}

/** The end of it: what the host itself says, not what it was told. */
export function requireCommitted(status: DeviceStatus, { slot, root }: Pick<Expected, 'slot' | 'root'>): DeviceStatus {
  const { state, committed } = status
  if (state === 'committed' && committed === slot && status.slot === slot && status.root === root) return status
  throw notCommitted(status, slot, root)
}

function requireTrial(heard: TrialState, expected: Expected, reasons: readonly string[] = []): TrialState {
  const { slot, root, state, update } = heard
  const isThere = slot === expected.slot && root === expected.root
  if (isThere && state === 'trial' && update?.id === expected.id) return heard
  // One that commits itself may have done so before anybody looked.
  if (isThere && state === 'committed') return heard
  throw fellBack(heard, expected, reasons)
}

function isRefusal(error: unknown, refusal: AgentRefusal['refusal']): boolean {
  return error instanceof AgentRefusal && error.refusal === refusal
}

/** A host that goes down at once does not finish its answer. */
async function askToReboot(agent: Agent): Promise<void> {
  await agent.reboot().catch((error) => {
    if (!isUnreachable(error)) throw error
  })
}

/** A host that starts may refuse a login or have no agent yet; one with another key is not looked at twice. */
async function look(agent: Agent, patience = 0): Promise<TrialState | UnheardError> {
  try {
    return await agent.state(patience)
  } catch (error) {
    return UnheardError.of(error)
  }
}
