import { persistently } from '../../ssh/persist.ts'
import type { PiRun, PiTools, StartedTrial } from './run.ts'
import { awaitTrial, requireCommitted, restart } from './trial.ts'

/** Restarts the host and waits until it runs the trial. */
export async function restartIntoTrial<R extends PiRun>({ agent, clock }: PiTools, run: R): Promise<R> {
  const { id, slot, root, before, trialSeconds: seconds } = run
  const downFrom = clock.now()
  const watch = await restart(agent, clock, { id, slot, root, before, seconds })
  await awaitTrial(watch)
  return { ...run, trial: { watch, downFrom } }
}

export function trialOf({ trial }: PiRun): StartedTrial {
  if (trial === undefined) throw new Error('the plan waits for a trial before the restart')
  return trial
}

export async function confirmCommit({ agent, clock }: PiTools, run: PiRun): Promise<void> {
  requireCommitted(await persistently(clock, () => agent.status()), run)
}
