import { UserError } from '../../../errors.ts'
import { during } from '../../../lib/reporter.ts'
import { confirmCommit, restartIntoTrial, trialOf } from './restart.ts'
import type { PiTools, RevertRun } from './run.ts'
import { nameOf, type RevertStep } from './step.ts'
import { awaitCommit } from './trial.ts'

/** Performs one step of a revert. */
export function performRevert(tools: PiTools, run: RevertRun, step: RevertStep): Promise<RevertRun> {
  const phase = (work: () => Promise<RevertRun>) => during(tools.progress, nameOf(step), work)
  switch (step.kind) {
    case 'arm-revert':
      return phase(() => arm(tools, run, step))
    case 'restart':
      return phase(() => restartIntoTrial(tools, run))
    case 'await-commit':
      return phase(() => becomeCommitted(tools, run))
    case 'confirm':
      return phase(async () => {
        await confirmCommit(tools, run)
        return run
      })
  }
}

/** Makes this call only once: if the answer is lost, a second call could undo the first revert. */
async function arm({ agent }: PiTools, run: RevertRun, { data }: RevertStep & { kind: 'arm-revert' }) {
  const armed = await agent.revert(data)
  if (armed.slot === run.slot && armed.root === run.root) return { ...run, id: armed.id }
  throw new UserError(
    'agent',
    `'${agent.host}' armed slot ${armed.slot} (root ${armed.root}), wanted slot ${run.slot} (root ${run.root})`,
    {
      hint: `another controller may have updated the host. Its next reboot is a trial of slot ${armed.slot}: npm run status ${agent.host}`,
    },
  )
}

async function becomeCommitted({ clock }: PiTools, run: RevertRun): Promise<RevertRun> {
  const { watch, downFrom } = trialOf(run)
  await awaitCommit(watch)
  return { ...run, downtime: (clock.now() - downFrom) / 1000 }
}
