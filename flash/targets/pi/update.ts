import { during } from '../../../lib/reporter.ts'
import { persistently } from '../../ssh/persist.ts'
import { stepsAfterBegin } from './plan.ts'
import { confirmCommit, restartIntoTrial, trialOf } from './restart.ts'
import type { PiTools, UpdateRun } from './run.ts'
import { nameOf, type UpdateStep } from './step.ts'
import { awaitHealth, commitTrial } from './trial.ts'
import { beginWrite, finishWrite, sendBoot, sendSlot, sendTree } from './write-slot.ts'

/** Performs one step of an update. Each phase takes the run, and returns a new run with its results. */
export function performUpdate(tools: PiTools, run: UpdateRun, step: UpdateStep): Promise<UpdateRun> {
  const phase = (work: () => Promise<UpdateRun>) => during(tools.progress, nameOf(step), work)
  switch (step.kind) {
    case 'identity':
      return phase(() => sendKeys(tools, run))
    case 'begin':
      return phase(() => begin(tools, run, step))
    case 'tree':
      return withSent(run, sendTree(tools, run.artifact, nameOf(step), step.atMost))
    case 'blocks': {
      const send = step.part === 'slot' ? sendSlot : sendBoot
      return withSent(run, send(tools, run.artifact, step.transfer))
    }
    case 'finish':
      return phase(() => unchanged(run, finishWrite(tools, run)))
    case 'release':
      return phase(() =>
        unchanged(
          run,
          persistently(tools.clock, () => tools.agent.release()),
        ),
      )
    case 'arm':
      return phase(() => unchanged(run, arm(tools, run)))
    case 'restart':
      return phase(() => restartIntoTrial(tools, run))
    case 'health':
      return phase(() => becomeHealthy(tools, run))
    case 'commit':
      return phase(() => unchanged(run, commitTrial(trialOf(run).watch)))
    case 'confirm':
      return phase(() => unchanged(run, confirmCommit(tools, run)))
  }
}

async function sendKeys({ agent, clock }: PiTools, run: UpdateRun): Promise<UpdateRun> {
  const { keys } = run
  if (keys === undefined) throw new Error('the plan sends keys, and the run has none')
  await persistently(clock, () => agent.identity(keys))
  return { ...run, sent: run.sent + keys.length }
}

/** The host's answer to `begin` decides which steps remain. */
async function begin(tools: PiTools, run: UpdateRun, step: UpdateStep): Promise<UpdateRun> {
  const state = await beginWrite(tools, run)
  return { ...run, steps: stepsAfterBegin([step, ...run.steps], state, run.artifact, run.goal) }
}

/**
 * Arms the slot. The trial uses a snapshot of the running slot's data, and only this controller may commit the trial,
 * over the network.
 */
function arm({ agent, clock }: PiTools, { id, root, goal }: UpdateRun): Promise<void> {
  const trial = { id, root, data: 'snapshot', commit: 'controller', seconds: goal.trialSeconds } as const
  return persistently(clock, () => agent.arm(trial))
}

async function becomeHealthy({ clock }: PiTools, run: UpdateRun): Promise<UpdateRun> {
  const { watch, downFrom } = trialOf(run)
  const waiting = await awaitHealth(watch)
  return { ...run, waiting, downtime: (clock.now() - downFrom) / 1000 }
}

async function withSent(run: UpdateRun, sending: Promise<number>): Promise<UpdateRun> {
  const sent = await sending
  return { ...run, sent: run.sent + sent }
}

async function unchanged(run: UpdateRun, work: Promise<unknown>): Promise<UpdateRun> {
  await work
  return run
}
