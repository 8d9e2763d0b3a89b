import { UserError } from '../errors.ts'
import type { Slot } from '../images/names.ts'
import type { Clock } from './clock.ts'
import { TRIAL_SECONDS } from './goal.ts'
import { during, type Progress } from './progress.ts'
import type { Agent } from './ssh/agent.ts'
import { persistently } from './ssh/persist.ts'
import type { DeviceStatus } from './ssh/status.ts'
import { isStop, stopped } from './stopped.ts'
import { otherSlot } from './targets/pi/plan.ts'
import { awaitCommit, awaitTrial, requireCommitted, restart } from './targets/pi/trial.ts'

export interface RevertJob {
  readonly agent: Agent
  readonly clock: Clock
  readonly progress: Progress
  /** `carried`: the old slot goes on with today's data; `as-was`: with the data that it left. */
  readonly data: 'carried' | 'as-was'
}

export interface Reverted {
  /** `ended`: what was left was a trial. */
  readonly kind: 'reverted' | 'ended'
  readonly from: Slot
  readonly slot: Slot
  readonly root: string
  readonly data: RevertJob['data']
  /** Seconds from the restart until all was healthy. */
  readonly downtime: number
}

/** What a revert would do, as a union to print and to act on. */
export type RevertPlan =
  | { readonly kind: 'revert'; readonly slot: Slot; readonly root: string; readonly data: RevertJob['data'] }
  | { readonly kind: 'end-trial'; readonly slot: Slot; readonly root: string }

/** Boots the previous slot, and keeps booting it. */
export async function revert({ agent, clock, progress, data }: RevertJob): Promise<Reverted> {
  const before = await during(progress, `ask ${agent.host}`, () => agent.status())
  const plan = planRevert(before, data)
  progress.notice(describeRevert(before, plan))
  const id = plan.kind === 'revert' ? await arm(agent, progress, plan) : (before.update?.id ?? '')
  const begun = clock.now()
  const { slot, root } = plan
  const expected = { id, slot, root, before, seconds: TRIAL_SECONDS }
  await during(progress, `restart into slot ${slot}`, async () => {
    const watch = await restart(agent, clock, expected)
    await awaitTrial(watch)
    await awaitCommit(watch)
  }).catch((error) => {
    throw isStop(error) ? leftOnItsWay(before, slot, error) : error
  })
  const downtime = (clock.now() - begun) / 1000
  requireCommitted(await persistently(clock, () => agent.status()), expected)
  const kind = plan.kind === 'revert' ? 'reverted' : 'ended'
  return { kind, from: before.slot, slot, root, data, downtime }
}

/** A revert commits itself, whether or not anybody waits for it. */
function leftOnItsWay({ host }: DeviceStatus, slot: Slot, cause: unknown): UserError {
  return stopped(
    `'${host}' goes on into slot ${slot} by itself, and keeps it once it is healthy`,
    `see first where it has come to, since the same command again would leave slot ${slot}: npm run status ${host}`,
    cause,
  )
}

export function planRevert(status: DeviceStatus, data: RevertJob['data']): RevertPlan {
  const { host, slot, state } = status
  const other = otherSlot(slot)
  const held = status.slots[other]
  if (held.state !== 'bootable') {
    throw new UserError(
      'update',
      `not reverted: slot ${other} of '${host}' is ${held.state}, there is nothing to go back to`,
      {
        hint: `build what you want to go back to, and flash it: npm run flash ${host} -- --allow-downgrade`,
      },
    )
  }
  // A trial that is left ends by itself, with the data that the committed slot had all along.
  if (state === 'trial') return { kind: 'end-trial', slot: other, root: held.root }
  requirePreviouslyCommitted(status, other, held.root)
  return { kind: 'revert', slot: other, root: held.root, data }
}

/** A revert commits itself: onto what was never reached over the network it could lock its owner out. */
function requirePreviouslyCommitted(
  { host, previouslyCommitted, update }: DeviceStatus,
  slot: Slot,
  root: string,
): void {
  if (previouslyCommitted === undefined || previouslyCommitted.includes(root)) return
  const tried = update?.slot === slot && update.phase === 'reverted'
  const why = tried ? `its trial was reverted: ${update.reason ?? 'nobody knows why'}` : 'it was never tried'
  throw new UserError(
    'update',
    `not reverted: slot ${slot} of '${host}' holds what was never committed there: ${why}`,
    {
      hint: `there is nothing to go back to, and what runs stays; to try what slot ${slot} holds: npm run flash ${host}`,
    },
  )
}

/** What happens next, in one line. */
export function describeRevert({ host, slot }: DeviceStatus, plan: RevertPlan): string {
  const root = plan.root.slice(0, 12)
  if (plan.kind === 'end-trial')
    return `${host}: ends the trial of slot ${slot}; back to slot ${plan.slot} (root ${root})`
  const data = plan.data === 'carried' ? "with today's data" : `with its data as slot ${plan.slot} left it`
  return `${host}: restarts into slot ${plan.slot} (root ${root}) ${data}, and keeps it once it is healthy; slot ${slot} stays as it is`
}

/** Not tried again where the answer is lost: a second call could mean the slot that the first one left. */
async function arm(agent: Agent, progress: Progress, plan: RevertPlan & { kind: 'revert' }): Promise<string> {
  const armed = await during(progress, `arm slot ${plan.slot}`, () => agent.revert(plan.data))
  if (armed.slot === plan.slot && armed.root === plan.root) return armed.id
  throw new UserError(
    'agent',
    `'${agent.host}' would go back to slot ${armed.slot} (root ${armed.root}), wanted slot ${plan.slot} (root ${plan.root})`,
    {
      hint: `another controller may be at work: npm run status ${agent.host}`,
    },
  )
}
