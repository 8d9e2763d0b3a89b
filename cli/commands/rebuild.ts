import { join } from 'node:path'
import { type CliContext, type Network, openBuildContext } from '../../builder/context.ts'
import { parseNumber } from '../../builder/generations/find.ts'
import { type Rebuilt, rebuild } from '../../builder/generations/rebuild.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'

export interface RebuildCommand extends CliContext {
  readonly host: string
  /** As it was typed. */
  readonly number: string
  readonly network: Network
}

/** Puts an earlier generation into the host's output directory; the text to end with. */
export async function rebuildCommand({ host, number, network, ...cliContext }: RebuildCommand): Promise<string> {
  const begun = performance.now()
  const wanted = parseNumber(number, host)
  const context = await openBuildContext(cliContext, network)
  const output = join(cliContext.project, 'out', host)
  const rebuilt = await rebuild(context, { host, number: wanted, output })
  return closing(rebuilt, host, performance.now() - begun)
}

function closing({ generation, slotSize, how, outputs }: Rebuilt, host: string, took: number): string {
  const { number, root } = generation
  return [
    `${host}: generation ${number} (${root.slice(0, 12)}), ${formatSize(slotSize)} in out/${host}, ${how} as it was, ${outputs} in ${formatDuration(took)}`,
    `next: npm run vm ${host}, or npm run flash ${host} -- --no-build --allow-downgrade`,
  ].join('\n')
}
