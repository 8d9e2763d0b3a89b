import { formatSeconds } from '../../flash/format.ts'
import { type Generations, nameGeneration } from '../../flash/generation.ts'
import type { Reverted } from '../../flash/revert.ts'
import type { Command } from '../command.ts'
import { openController, targetOf } from '../controller.ts'
import { AT } from '../options.ts'

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
    const { revert: revertHost } = await import('../../flash/revert.ts')
    const { connect, clock, generations } = await openController(context)
    const target = await targetOf(context, name, at)
    const job = { data: withData ? 'as-was' : 'carried', clock, progress: context.reporter } as const
    const reverted = await connect(target, (agent) => revertHost({ ...job, agent }))
    return revertText(name, reverted, generations(name))
  },
}

export function revertText(host: string, reverted: Reverted, generations: Generations): string {
  const { kind, from, slot, root, data, downtime } = reverted
  const image = nameGeneration(generations, root)
  const down = `services were down for ${formatSeconds(downtime)}`
  if (kind === 'ended')
    return `${host}: ended the trial of slot ${from}; slot ${slot} runs ${image} and is committed; ${down}`
  const which = data === 'carried' ? 'with the current data' : 'with its own data from before the update'
  return [
    `${host}: slot ${slot} runs ${image} ${which}, healthy and committed; ${down}`,
    `undo: npm run revert ${host} returns to slot ${from}, which is unchanged`,
  ].join('\n')
}
