import { join } from 'node:path'
import type { Network } from '../../builder/context.ts'
import type { Rebuilt } from '../../builder/generations/rebuild.ts'
import type { FrozenFlag } from '../../builder/lock/frozen.ts'
import { UserError } from '../../errors.ts'
import { formatDuration, formatSize } from '../../lib/format.ts'
import { requireWritable } from '../../lib/writable-directory.ts'
import { buildHosts } from '../build-hosts.ts'
import type { Command, CommandContext } from '../command.ts'
import { failureOf } from '../host-failures.ts'
import { RUNNER } from '../options.ts'
import { buildsText } from '../text/build.ts'

export interface BuildFlags {
  readonly frozen?: boolean
  readonly offline?: true
  readonly runner?: string
  /** The generation number that the user typed. */
  readonly generation?: string
}

export const build: Command<BuildFlags> = {
  name: 'build',
  group: 'build',
  arguments: '[hosts...]',
  summary: 'build the images of hosts (default: all hosts)',
  details: [
    'Builds hosts/HOST.ts into out/HOST: disk image, slot, boot files, signed manifest, SBOM and digests.',
    'Checks all host files first. Layers that several hosts have in common are built once.',
    'Unchanged layers come from the store. Packages that the lock file does not name yet are locked first.',
  ],
  options: [
    { flags: '--frozen', about: 'fail if the lock file has to change (default in CI, when $CI is true)' },
    { flags: '--no-frozen', about: 'allow changes of the lock file (default outside of CI)' },
    { flags: '--offline', about: 'build from the store only, without a network; implies --frozen' },
    { flags: '--generation <number>', about: 'rebuild an earlier generation of one host, bit for bit' },
    RUNNER,
  ],
  examples: [
    { about: 'build the image of adama', line: 'npm run build:image adama' },
    { about: 'build the images of all hosts', line: 'npm run build:image' },
    { about: 'rebuild generation 3 without a network', line: 'npm run build:image adama -- --generation 3 --offline' },
  ],
  async run(context, names, flags) {
    const { frozen, network } = buildMode(flags)
    const { generation, runner } = flags
    if (generation !== undefined) return rebuildGeneration({ ...context, runner }, onlyHost(names), generation, network)
    const builds = await buildHosts(context, hostsToBuild(context, names), { runner, frozen, network })
    const text = buildsText(builds)
    if (builds.failures.length === 0) return text
    if (builds.results.length > 0) context.reporter.notice(text)
    throw failureOf(builds.failures, FAILED)
  },
}

const FAILED = { outcome: 'hangar built the other hosts', hint: 'correct these hosts and build them again' }

/** The named hosts, or all hosts of the project. */
function hostsToBuild({ hosts }: CommandContext, names: readonly string[]): readonly string[] {
  const chosen = names.length > 0 ? names : hosts.names()
  if (chosen.length > 0) return chosen
  throw new UserError('host', "no file in 'hosts' describes a host", {
    hint: 'add hosts/NAME.ts; README.md shows an example',
  })
}

function onlyHost(names: readonly string[]): string {
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return only
  throw new UserError('usage', `'--generation' needs exactly one host, not ${names.length || 'all'}`, {
    hint: 'generations belong to a host: npm run build:image HOST -- --generation NUMBER',
  })
}

/**
 * Combines the flags, and refuses contradictions. An offline build cannot resolve packages, so its lock file is frozen.
 */
export function buildMode({ frozen, offline, generation }: BuildFlags): {
  readonly frozen: FrozenFlag
  readonly network: Network
} {
  const flag = frozen === undefined ? undefined : frozen ? 'frozen' : 'no-frozen'
  if (generation !== undefined && flag !== undefined)
    throw usage(`cannot combine '--generation' with '--${flag}': a generation has its own lock`)
  if (!offline) return { frozen: flag, network: 'online' }
  if (flag === 'no-frozen') throw usage("cannot combine '--offline' with '--no-frozen'")
  return { frozen: 'frozen', network: 'offline' }
}

function usage(message: string): UserError {
  return new UserError('usage', message, { hint: 'use only one of the two flags' })
}

/** Writes an earlier generation into `out/HOST` again. Does not load the host file, which may no longer exist. */
async function rebuildGeneration(
  context: CommandContext & { runner: string | undefined },
  host: string,
  typed: string,
  network: Network,
) {
  const { parseNumber } = await import('../../builder/generations/find.ts')
  const { openBuildContext } = await import('../../builder/context.ts')
  const { rebuild } = await import('../../builder/generations/rebuild.ts')
  const begun = performance.now()
  const number = parseNumber(typed, host)
  const output = join(context.project, 'out', host)
  requireWritable(output)
  const rebuilt = await rebuild(await openBuildContext(context, network), { host, number, output })
  return rebuiltText(host, rebuilt, performance.now() - begun)
}

const HOW: Readonly<Record<Rebuilt['how'], string>> = { assembled: 'assembled from the store', built: 'built again' }

function rebuiltText(host: string, { generation, slotSize, how, outputs }: Rebuilt, took: number): string {
  const { number, root } = generation
  const image = `generation ${number} (${root.slice(0, 12)}), ${formatSize(slotSize)} in out/${host}`
  return [
    `${host}: ${image}, ${HOW[how]}, ${outputs} in ${formatDuration(took)}`,
    `next: npm run vm ${host}, or npm run flash ${host} -- --no-build --allow-downgrade`,
  ].join('\n')
}
