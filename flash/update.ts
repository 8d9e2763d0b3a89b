import type { Slot } from '../images/names.ts'
import { during } from './progress.ts'
import { isUnreachable, persistently } from './ssh/persist.ts'
import { isStop } from './stopped.ts'
import { keysToBring, withIdentity } from './targets/pi/identity.ts'
import { planUpdate, type Step, stepsAfterBegin } from './targets/pi/plan.ts'
import { newRun, type Run, type StepTime, timed, type UpdateJob } from './targets/pi/run.ts'
import { nameOf } from './targets/pi/step-text.ts'
import { awaitHealth, awaitTrial, commitTrial, requireCommitted, restart, type Watch } from './targets/pi/trial.ts'
import { leftOnTrial } from './targets/pi/trial-failure.ts'
import { beginWrite, finishWrite, sendBoot, sendSlot, sendTree } from './targets/pi/write-slot.ts'

export type Updated =
  | { readonly kind: 'nothing'; readonly slot: Slot; readonly root: string }
  /** The image was there; the host's own keys were not. */
  | ({ readonly kind: 'renewed' } & Done)
  /** `downtime`: seconds from the restart until all was healthy. */
  | ({ readonly kind: 'updated'; readonly downtime: number } & Done)
  | ({ readonly kind: 'staged' } & Done)

interface Done {
  readonly slot: Slot
  readonly root: string
  /** Bytes on the wire. */
  readonly sent: number
  readonly times: readonly StepTime[]
  readonly total: number
}

/** Brings a host to an image: into the slot that does not run, on trial, and committed once it is healthy. */
export async function update(job: UpdateJob): Promise<Updated> {
  const { agent, artifact, goal, clock, progress } = job
  const begun = clock.now()
  const before = await during(progress, `ask ${agent.host}`, () => agent.status())
  const planned = planUpdate(before, artifact, goal)
  const keys = await keysToBring(before, job.identity, progress)
  const steps = withIdentity(keys, planned)
  if (steps.length === 0) return { kind: 'nothing', slot: before.slot, root: before.root }
  const run = newRun(job, before, keys)
  try {
    await performAll(run, steps)
  } catch (error) {
    if (isStop(error) && run.downFrom !== undefined) throw leftOnTrial({ ...run, seconds: goal.trialSeconds }, error)
    // Nobody waits ten minutes for a lock of whoever was refused.
    if (!isUnreachable(error)) await agent.release().catch(() => undefined)
    throw error
  }
  const total = (clock.now() - begun) / 1000
  if (planned.length > 0) return resultOf(run, total)
  return { kind: 'renewed', slot: before.slot, root: before.root, sent: run.sent, times: run.times, total }
}

/** What the host answers to `begin` decides what is left to do. */
async function performAll(run: Run, steps: readonly Step[]): Promise<void> {
  const [step, ...rest] = steps
  if (step === undefined) return
  const name = nameOf(step)
  if (step.kind === 'begin') {
    const state = await timed(run, name, () => during(run.progress, name, () => beginWrite(run)))
    return performAll(run, stepsAfterBegin(steps, state, run.artifact, run.goal))
  }
  await timed(run, name, () => perform(run, step))
  return performAll(run, rest)
}

async function perform(run: Run, step: Step): Promise<void> {
  const { agent, clock } = run
  const inOneStep = (work: () => Promise<unknown>) =>
    during(run.progress, nameOf(step), async () => void (await work()))
  switch (step.kind) {
    case 'identity':
      return inOneStep(() => bringKeys(run))
    case 'begin':
      return inOneStep(() => beginWrite(run))
    case 'tree':
      return sendTree(run, nameOf(step), step.atMost)
    case 'blocks':
      return step.part === 'slot' ? sendSlot(run, step.transfer) : sendBoot(run, step.transfer)
    case 'finish':
      return inOneStep(() => finishWrite(run))
    case 'release':
      return inOneStep(() => persistently(clock, () => agent.release()))
    case 'arm':
      return inOneStep(() => arm(run))
    case 'restart':
      return inOneStep(() => restartIntoTrial(run))
    case 'health':
      return inOneStep(() => becomeHealthy(run))
    case 'commit':
      return inOneStep(() => commitTrial(watchOf(run)))
    case 'confirm':
      return inOneStep(async () => requireCommitted(await persistently(clock, () => agent.status()), run))
  }
}

async function bringKeys(run: Run): Promise<void> {
  const { agent, clock, keys } = run
  if (keys === undefined) throw new Error('keys are planned for that nobody has')
  await persistently(clock, () => agent.identity(keys))
  run.sent += keys.length
}

/** With a copy of the data that the running slot has; and only this controller may commit, over the network. */
function arm({ agent, clock, id, root, goal }: Run): Promise<void> {
  const trial = { id, root, data: 'snapshot', commit: 'controller', seconds: goal.trialSeconds } as const
  return persistently(clock, () => agent.arm(trial))
}

async function restartIntoTrial(run: Run): Promise<void> {
  const { agent, clock, id, slot, root, before, goal } = run
  run.downFrom = clock.now()
  run.watch = await restart(agent, clock, { id, slot, root, before, seconds: goal.trialSeconds })
  await awaitTrial(run.watch)
}

async function becomeHealthy(run: Run): Promise<void> {
  await awaitHealth(watchOf(run))
  run.upFrom = run.clock.now()
}

function watchOf({ watch }: Run): Watch {
  if (watch === undefined) throw new Error('a trial is looked for before the restart')
  return watch
}

function resultOf({ slot, root, sent, times, downFrom, upFrom }: Run, total: number): Updated {
  const done = { slot, root, sent, times, total }
  if (downFrom === undefined || upFrom === undefined) return { kind: 'staged', ...done }
  return { kind: 'updated', downtime: (upFrom - downFrom) / 1000, ...done }
}
