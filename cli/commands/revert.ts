import type { Clock } from '../../flash/clock.ts'
import type { Connect, KnownHost } from '../../flash/controller.ts'
import { type Reverted, type RevertPlan, revert } from '../../flash/revert.ts'
import type { RevertData } from '../../flash/targets/target.ts'
import { formatDuration } from '../../lib/format.ts'
import type { Progress } from '../../lib/reporter.ts'
import { type Generations, nameGeneration } from '../generation-name.ts'

export interface RevertCommand {
  readonly target: KnownHost
  readonly data: RevertData
  readonly generations: Generations
  readonly connect: Connect
  readonly progress: Progress
  readonly clock: Clock
}

/** Boots a host's previous slot; returns the closing text. */
export async function revertCommand({ target, generations, connect, ...job }: RevertCommand): Promise<string> {
  const { host } = target
  const onPlan = (plan: RevertPlan) => job.progress.notice(planLine(host, plan))
  const reverted = await connect(target, (reached) => revert({ ...job, target: reached, onPlan }))
  return resultText(host, reverted, generations)
}

/** The effect of a revert, in one line before it starts. */
export function planLine(host: string, { kind, from, slot, root, data }: RevertPlan): string {
  const to = `slot ${slot} (root ${root.slice(0, 12)})`
  if (kind === 'trial-ended') return `${host}: ends the trial of slot ${from} and returns to ${to}`
  const which = data === 'carried' ? "today's data" : `the data that slot ${slot} left`
  return `${host}: restarts into ${to} with ${which} and commits it when it is healthy; slot ${from} stays unchanged`
}

function resultText(host: string, { kind, from, slot, root, data, downtime }: Reverted, generations: Generations) {
  const image = nameGeneration(generations, root)
  const down = `services down for ${formatDuration(downtime * 1000)}`
  if (kind === 'trial-ended')
    return `${host}: the trial of slot ${from} has ended; slot ${slot} runs ${image} and is committed; ${down}`
  const which = data === 'carried' ? "with today's data" : 'with the data that it left'
  return [
    `${host}: slot ${slot} runs ${image} ${which}, healthy and committed; ${down}`,
    `to return to slot ${from}, which is unchanged: npm run revert ${host}`,
  ].join('\n')
}
