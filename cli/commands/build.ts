import { join } from 'node:path'
import { type Built, build } from '../../builder/build.ts'
import { type CliContext, type Network, openBuildContext } from '../../builder/context.ts'
import type { HostPlan } from '../../builder/host-plan.ts'
import type { FrozenFlag } from '../../builder/lock/frozen.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { formatTable } from '../display/table.ts'

export interface BuildCommand extends CliContext {
  readonly plan: HostPlan
  readonly frozen: FrozenFlag
  readonly network?: Network
}

/** Builds a host's image; the text to end with: a table of its layers, and what to type next. */
export async function buildCommand(command: BuildCommand): Promise<string> {
  const begun = performance.now()
  const context = await openBuildContext(command, command.network)
  const output = join(command.project, 'out', command.plan.name)
  const built = await build(context, { plan: command.plan, frozen: command.frozen, output })
  return closing(built, command.plan.name, performance.now() - begun)
}

function closing(built: Built, host: string, took: number): string {
  const rows = built.layers.map(({ name, size, made }) => [
    name,
    formatSize(size),
    made.kind === 'reused' ? 'reused' : 'built',
    made.kind === 'reused' ? '' : formatDuration(made.took),
  ])
  return [
    '',
    formatTable([['layer', 'size', '', 'time'], ...rows]),
    '',
    `${host}: generation ${built.generation} (${built.root.slice(0, 12)}), ${formatSize(built.slotSize)} in out/${host}, ${built.outputs} in ${formatDuration(took)}`,
    `next: npm run vm ${host}`,
  ].join('\n')
}
