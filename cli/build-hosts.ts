import { join } from 'node:path'
import type { Built, HostBuild } from '../builder/build.ts'
import type { Network } from '../builder/context.ts'
import type { HostPlan } from '../builder/host-plan.ts'
import type { FrozenFlag } from '../builder/lock/frozen.ts'
import type { HostName } from '../images/names.ts'
import { requireWritable } from '../lib/writable-directory.ts'
import type { Host } from '../overlays/host-facts.ts'
import type { CommandContext } from './command.ts'
import { forEveryHost, type HostFailure } from './host-failures.ts'
import { withLine } from './host-files/with-line.ts'
import { withLabMirrors } from './lab-mirrors.ts'
import { type ReadLab, readLab } from './read-lab.ts'

export interface BuildOptions {
  readonly runner: string | undefined
  readonly frozen?: FrozenFlag
  readonly network?: Network
}

/** The image of one host. */
export interface HostResult {
  readonly host: string
  readonly built: Built
  readonly keys: HostKeys
}

/** The public keys of a host file. */
export interface HostKeys {
  readonly login: readonly string[]
  readonly signing: readonly string[]
}

/** The builds of one command, and their duration in milliseconds. */
export interface HostBuilds {
  readonly results: readonly HostResult[]
  readonly failures: readonly HostFailure[]
  readonly took: number
}

/** Builds the images of hosts into `out/HOST`. Checks all host files before it builds the first image. */
export async function buildHosts(
  context: CommandContext,
  names: readonly string[],
  { runner, frozen, network }: BuildOptions,
): Promise<HostBuilds> {
  const { openBuildContext } = await import('../builder/context.ts')
  const { buildAll } = await import('../builder/build.ts')
  const plans = await plansFor(context, names, NOTHING_BUILT)
  const hosts = plans.map((plan) => ({ plan, output: join(context.project, 'out', plan.name) }))
  for (const { output } of hosts) requireWritable(output)
  const begun = performance.now()
  const opened = await openBuildContext({ ...(await withLabMirrors(context)), runner }, network)
  const builds = await buildAll(opened, { hosts, frozen })
  return { ...resultsOf(plans, builds), took: performance.now() - begun }
}

/** What the builder needs to know of a host, and the host. */
type Plan = HostPlan & { readonly host: Host }

const NOTHING_BUILT = {
  outcome: 'hangar built nothing',
  hint: 'correct these hosts, or name only the other hosts: npm run build:image HOST …',
}

/**
 * The plans of hosts, each host once. Throws one error with the mistakes of all hosts: finding them takes milliseconds, and
 * the user should not read about the first mistake after the minutes that the other hosts take.
 */
export async function plansFor(
  context: CommandContext,
  names: readonly string[],
  failed: { readonly outcome: string; readonly hint: string },
): Promise<Plan[]> {
  const { planOf } = await import('../hosts/schema/plan.ts')
  const read = await readLab(context)
  throwProblem(context, read, 'all')
  const wanted = [...new Set(names)]
  for (const [name, error] of read.unread) if (!wanted.includes(name)) warnOfUnread(context, name, error)
  return forEveryHost(wanted, failed, async (name) => {
    const host = await read.host(name)
    throwProblem(context, read, host.name)
    return planOf(host, read.lab)
  })
}

/** Throws the first problem of a host in its lab, or of the lab file. */
function throwProblem({ project }: CommandContext, { problems }: ReadLab, host: HostName | 'all'): void {
  const found = problems.find(({ hosts }) =>
    hosts === 'all' ? host === 'all' : host !== 'all' && hosts.includes(host),
  )
  if (found !== undefined) throw withLine(found.error, project)
}

/** The images of the other hosts have no name for a host whose file is not valid. The command can still be right. */
function warnOfUnread({ reporter }: CommandContext, name: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  reporter.warn(`the other hosts will not know '${name}', because its host file is not valid: ${reason}`)
}

function resultsOf(plans: readonly Plan[], builds: readonly HostBuild[]): Omit<HostBuilds, 'took'> {
  const keysOf = ({ host: { ssh, updates } }: Plan) => ({ login: ssh.keys, signing: updates.signingKeys })
  const results = builds.flatMap((build, at): HostResult[] => {
    const plan = plans[at]
    return plan !== undefined && 'built' in build ? [{ ...build, keys: keysOf(plan) }] : []
  })
  return { results, failures: builds.flatMap((build) => ('error' in build ? [build] : [])) }
}
