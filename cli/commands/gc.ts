import { type CliContext, storeUse } from '../../builder/context.ts'
import { type Collected, collect, type HostGeneration } from '../../builder/generations/collect.ts'
import { parseRetention } from '../../builder/generations/retention.ts'
import { readLocks } from '../../builder/lock/locks.ts'
import { SOURCES } from '../../builder/sources/registry.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { formatSize } from '../../lib/format.ts'

export interface GcCommand extends CliContext {
  readonly flags: { readonly keep?: string; readonly olderThan?: string; readonly dryRun?: true }
}

/** Forgets old generations and removes what nothing needs any more; what went, and what stays. */
export async function gcCommand({ flags, ...command }: GcCommand): Promise<string> {
  const retention = parseRetention(flags)
  const mode = flags.dryRun ? 'dry-run' : 'collect'
  const store = await openStore(storeRoot(command.env), mode === 'dry-run' ? 'read' : 'write')
  const collected = await collect({
    ...{ store, retention, mode, now: command.now },
    lock: await readLocks(command.project, SOURCES),
    use: storeUse({ ...command, store }, 'gc'),
  })
  for (const { number } of collected.unknown)
    command.reporter.warn(`generation ${number} has lost its graph: what it was made from is not kept for its sake`)
  return closing(collected, mode)
}

function closing({ stay, go, garbage }: Collected, mode: 'collect' | 'dry-run'): string {
  const { objects, records, toolchains } = garbage
  const size = [...objects, ...toolchains].reduce((sum, each) => sum + each.size, 0)
  const would = mode === 'dry-run' ? 'would ' : ''
  return [
    ...(go.length === 0 ? [] : [`${would}forget ${named(go)}`]),
    `${would}free ${formatSize(size)}: ${objects.length} objects, ${records.length} records, ${toolchains.length} toolchains`,
    stay.length === 0 ? 'no generation is kept: there is none yet' : `kept: ${named(stay)}`,
  ].join('\n')
}

/** `generations 3, 4 of adama; 1 of starbuck`. */
function named(generations: readonly HostGeneration[]): string {
  const hosts = [...new Set(generations.map(({ host }) => host))]
  return hosts
    .map((host) => {
      const own = generations.filter((each) => each.host === host).map(({ generation }) => generation.number)
      return `${own.sort((a, b) => a - b).join(', ')} of ${host}`
    })
    .join('; ')
    .replace(/^/, generations.length === 1 ? 'generation ' : 'generations ')
}
