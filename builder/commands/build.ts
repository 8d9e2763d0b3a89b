import { join } from 'node:path'
import { type Built, build } from '../build.ts'
import type { HostPlan } from '../host-plan.ts'
import type { FrozenFlag } from '../lock/frozen.ts'
import { formatDuration, formatSize } from '../report/format.ts'
import { formatTable } from '../report/table.ts'
import { type Network, openWorkshop, type Surroundings } from '../workshop.ts'

export interface BuildCommand extends Surroundings {
  readonly plan: HostPlan
  readonly frozen: FrozenFlag
  readonly network?: Network
}

/** Builds a host's image; the text to end with: a table of its layers, and what to type next. */
export async function buildCommand(command: BuildCommand): Promise<string> {
  const begun = performance.now()
  const workshop = await openWorkshop(command, command.network)
  const output = join(command.project, 'out', command.plan.name)
  const built = await build(workshop, { plan: command.plan, frozen: command.frozen, output })
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
