import { isStop } from '../../clock.ts'
import { TRIAL_SECONDS } from '../../goal.ts'
import { Agent } from '../../ssh/agent.ts'
import { isUnreachable } from '../../ssh/persist.ts'
import { type DeviceStatus, otherSlot } from '../../ssh/status.ts'
import type { PlanRequest, Target, TargetDriver, TargetTools } from '../target.ts'
import { type Artifact, withArtifact } from './artifact.ts'
import { keysToSend } from './identity.ts'
import { endingOf, planRevert, planUpdate, withIdentity } from './plan.ts'
import { performRevert } from './revert.ts'
import type { PiRun, PiTools, RevertRun, UpdateRun } from './run.ts'
import { describeStep, type PiStep } from './step.ts'
import { stoppedDuringRevert, stoppedDuringTrial } from './trial-failure.ts'
import { performUpdate } from './update.ts'

/**
 * Debian on a Raspberry Pi with two verified slots. The agent on the host starts trials with the firmware's tryboot
 * flag.
 */
export const piDriver: TargetDriver<Artifact, PiRun> = { withArtifact, open: piTarget }

export function piTarget({ remote, owner, newId, ...rest }: TargetTools): Target<Artifact, PiRun> {
  const tools: PiTools = { ...rest, agent: new Agent(remote, owner) }
  return {
    host: remote.host,
    status: () => tools.agent.status(),
    plan: async (status, request) =>
      request.kind === 'update' ? updateRun(tools, newId(), status, request) : revertRun(status, request),
    describe: describeStep,
    perform: (run) => perform(tools, run),
  }
}

async function updateRun(
  { progress }: PiTools,
  id: string,
  before: DeviceStatus,
  { artifact, goal, identity }: PlanRequest<Artifact> & { kind: 'update' },
): Promise<UpdateRun> {
  const planned = planUpdate(before, artifact, goal)
  const keys = await keysToSend(before, identity, progress)
  const aim =
    planned.length === 0
      ? { slot: before.slot, root: before.root }
      : { slot: otherSlot(before.slot), root: artifact.manifest.slot.root }
  return {
    ...{ kind: 'update', id, before, artifact, goal, keys, trialSeconds: goal.trialSeconds },
    ...{ ...aim, ending: endingOf(planned, keys, goal), steps: withIdentity(keys, planned) },
    ...{ sent: 0, downtime: undefined, trial: undefined },
  }
}

function revertRun(before: DeviceStatus, { data }: PlanRequest<Artifact> & { kind: 'revert' }): RevertRun {
  // Uses the name of a running trial. Otherwise the host gives the trial its name when it arms the revert.
  const id = before.update?.id ?? ''
  return {
    ...{ kind: 'revert', id, before, trialSeconds: TRIAL_SECONDS },
    ...planRevert(before, data),
    ...{ sent: 0, downtime: undefined, trial: undefined },
  }
}

async function perform(tools: PiTools, run: PiRun): Promise<PiRun> {
  if (run.kind === 'update') {
    const [step, ...steps] = run.steps
    if (step === undefined) throw new Error('an update without steps is performed')
    return performUpdate(tools, { ...run, steps }, step).catch(async (error) => {
      throw await afterFailedUpdate(tools, run, step, error)
    })
  }
  const [step, ...steps] = run.steps
  if (step === undefined) throw new Error('a revert without steps is performed')
  return performRevert(tools, { ...run, steps }, step).catch((error) => {
    throw isStop(error) && mayHaveRestarted(run, step) ? stoppedDuringRevert(termsOf(run), error) : error
  })
}

/** Releases the host's lock, so that the next controller does not have to wait until the lock expires. */
async function afterFailedUpdate({ agent }: PiTools, run: UpdateRun, step: PiStep, error: unknown): Promise<unknown> {
  if (isStop(error) && mayHaveRestarted(run, step)) return stoppedDuringTrial(termsOf(run), error)
  if (!isUnreachable(error)) await agent.release().catch(() => undefined)
  return error
}

function mayHaveRestarted({ trial }: PiRun, { kind }: PiStep): boolean {
  return trial !== undefined || kind === 'restart'
}

function termsOf({ before, slot, trialSeconds }: PiRun) {
  return { before, slot, seconds: trialSeconds }
}
