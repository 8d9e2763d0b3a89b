import { join } from 'node:path'
import { parseNumber } from '../generations/numbers.ts'
import { type Rebuilt, rebuild } from '../generations/rebuild.ts'
import { formatDuration, formatSize } from '../report/format.ts'
import { type Network, openWorkshop, type Surroundings } from '../workshop.ts'

export interface RebuildCommand extends Surroundings {
  readonly host: string
  /** As it was typed. */
  readonly number: string
  readonly network: Network
}

/** Puts an earlier generation into the host's output directory; the text to end with. */
export async function rebuildCommand({ host, number, network, ...surroundings }: RebuildCommand): Promise<string> {
  const begun = performance.now()
  const wanted = parseNumber(number, host)
  const workshop = await openWorkshop(surroundings, network)
  const output = join(surroundings.project, 'out', host)
  const rebuilt = await rebuild(workshop, { host, number: wanted, output })
  return closing(rebuilt, host, performance.now() - begun)
}

function closing({ generation, slotSize, how, outputs }: Rebuilt, host: string, took: number): string {
  const { number, root } = generation
  return [
    `${host}: generation ${number} (${root.slice(0, 12)}), ${formatSize(slotSize)} in out/${host}, ${how} as it was, ${outputs} in ${formatDuration(took)}`,
    `next: npm run vm ${host}, or npm run flash ${host} -- --no-build --allow-downgrade`,
  ].join('\n')
}
