import type { Connect, KnownHost } from '../../flash/controller.ts'
import type { Reverted, RevertJob, RevertPlan } from '../../flash/revert.ts'
import { formatDuration } from '../../lib/format.ts'
import type { Command } from '../command.ts'
import { knownHost, openController } from '../controller.ts'
import { AT } from '../options.ts'
import { type Generations, nameGeneration } from '../text/generation.ts'

export interface RevertFlags {
  readonly withData?: true
  readonly at?: string
}

export const revert: Command<RevertFlags> = {
  name: 'revert',
  group: 'update',
  arguments: '<host>',
  summary: 'boot the previous slot of a host and commit it',
  details: [
    'Reboots the host into its previous slot with a snapshot of the current data. The slot must have been',
    'committed on this host before. The host commits it when it is healthy; the current slot stays as it is.',
  ],
  options: [
    { flags: '--with-data', about: "use the previous slot's own data, from before the update (default: current data)" },
    AT,
  ],
  examples: [
    { about: 'return adama to its previous slot', line: 'npm run revert adama' },
    { about: 'also return to the data from before the update', line: 'npm run revert adama -- --with-data' },
  ],
  async run(context, [name = ''], { withData, at }) {
    const { connect, clock, generations } = await openController(context)
    const known = await knownHost(context, name, at)
    const data = withData ? 'as-was' : 'carried'
    return revertHost({ connect, clock, progress: context.reporter, known, data, generations: generations(name) })
  },
}

export interface RevertOptions extends Pick<RevertJob, 'data' | 'clock' | 'progress'> {
  readonly known: KnownHost
  readonly connect: Connect
  readonly generations: Generations
}

/** Prints the plan as a notice, reverts the host, and returns the text to print. */
export async function revertHost({ known, connect, generations, ...job }: RevertOptions): Promise<string> {
  const { revert: performRevert } = await import('../../flash/revert.ts')
  const { host } = known
  const onPlan = (plan: RevertPlan) => job.progress.notice(revertPlanText(host, plan))
  const reverted = await connect(known, (target) => performRevert({ ...job, target, onPlan }))
  return revertText(host, reverted, generations)
}

/** The line that hangar prints before a revert: its effect. */
export function revertPlanText(host: string, { kind, from, slot, root, data }: RevertPlan): string {
  const to = `slot ${slot} (root ${root.slice(0, 12)})`
  if (kind === 'trial-ended') return `${host}: ends the trial of slot ${from} and returns to ${to}`
  const which = data === 'carried' ? 'the current data' : `the data that slot ${slot} left`
  return `${host}: restarts into ${to} with ${which} and commits it when it is healthy; slot ${from} stays unchanged`
}

export function revertText(host: string, reverted: Reverted, generations: Generations): string {
  const { kind, from, slot, root, data, downtime } = reverted
  const image = nameGeneration(generations, root)
  const down = `services were down for ${formatDuration(downtime * 1000)}`
  if (kind === 'trial-ended')
    return `${host}: ended the trial of slot ${from}; slot ${slot} runs ${image} and is committed; ${down}`
  const which = data === 'carried' ? 'with the current data' : 'with the data that it left'
  return [
    `${host}: slot ${slot} runs ${image} ${which}, healthy and committed; ${down}`,
    `undo: npm run revert ${host} returns to slot ${from}, which is unchanged`,
  ].join('\n')
}
