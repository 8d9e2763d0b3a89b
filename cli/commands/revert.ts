import type { Clock } from '../../flash/clock.ts'
import { formatSeconds } from '../../flash/format.ts'
import type { Progress } from '../../flash/progress.ts'
import { type Reverted, type RevertJob, revert } from '../../flash/revert.ts'
import type { Connect, Target } from '../../flash/ssh/connect.ts'
import { type Generations, nameGeneration } from '../generation-name.ts'

export interface RevertCommand {
  readonly target: Target
  readonly data: RevertJob['data']
  readonly generations: Generations
  readonly connect: Connect
  readonly progress: Progress
  readonly clock: Clock
}

/** Takes a host back to its previous slot; the text to end with. */
export async function revertCommand({ target, generations, connect, ...job }: RevertCommand): Promise<string> {
  const reverted = await connect(target, (agent) => revert({ ...job, agent }))
  return resultText(target.host, reverted, generations)
}

function resultText(host: string, { kind, from, slot, root, data, downtime }: Reverted, generations: Generations) {
  const image = nameGeneration(generations, root)
  const down = `services down for ${formatSeconds(downtime)}`
  if (kind === 'ended')
    return `${host}: the trial of slot ${from} has ended; slot ${slot} runs ${image} and is committed; ${down}`
  const which = data === 'carried' ? "with today's data" : 'with its own data, as it left them'
  return [
    `${host}: slot ${slot} runs ${image} ${which}, healthy and committed; ${down}`,
    `return to slot ${from}, which is as it was: npm run revert ${host}`,
  ].join('\n')
}
