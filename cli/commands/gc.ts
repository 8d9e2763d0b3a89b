import type { Collected, HostGeneration } from '../../builder/generations/collect.ts'
import { formatSize } from '../../lib/format.ts'
import type { Command } from '../command.ts'

export interface GcFlags {
  readonly keep?: string
  readonly olderThan?: string
  readonly dryRun?: true
}

export const gc: Command<GcFlags> = {
  name: 'gc',
  group: 'generations',
  arguments: '',
  summary: 'delete expired generations and unused objects from the store',
  details: ['Keeps pinned generations, and everything that a kept generation or the lock file needs.'],
  options: [
    { flags: '--keep <n>', about: 'keep the newest N generations of each host (default 5)' },
    {
      flags: '--older-than <age>',
      about: 'keep generations younger than AGE: 12h, 30d or 8w (default: no minimum age)',
    },
    { flags: '--dry-run', about: 'print what would be deleted, and delete nothing' },
  ],
  examples: [
    { about: 'show what would be deleted', line: 'npm run gc -- --dry-run' },
    { about: 'keep 3 generations, and all of the last 30 days', line: 'npm run gc -- --keep 3 --older-than 30d' },
  ],
  async run(context, _words, flags) {
    const { parseRetention } = await import('../../builder/generations/retention.ts')
    const { collectGarbage } = await import('../../builder/generations/collect-garbage.ts')
    const mode = flags.dryRun ? 'dry-run' : 'collect'
    const collected = await collectGarbage(context, { retention: parseRetention(flags), mode })
    for (const { number } of collected.unknown)
      context.reporter.warn(
        `generation ${number} has lost its dependency graph: gc cannot keep the inputs of its build`,
      )
    return gcText(collected, mode)
  },
}

function gcText({ stay, go, garbage }: Collected, mode: 'collect' | 'dry-run'): string {
  const { objects, records, toolchains } = garbage
  const size = [...objects, ...toolchains].reduce((sum, each) => sum + each.size, 0)
  const counts = `${objects.length} objects, ${records.length} records, ${toolchains.length} toolchains`
  const [deleted, freed] = mode === 'dry-run' ? ['would delete', 'would free'] : ['deleted', 'freed']
  return [
    ...(go.length === 0 ? [] : [`${deleted} ${named(go)}`]),
    `${freed} ${formatSize(size)}: ${counts}`,
    stay.length === 0 ? 'kept no generation: there is none yet' : `kept ${named(stay)}`,
  ].join('\n')
}

/** Lists generations by host: `generations 3, 4 of adama; 1 of starbuck`. */
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
