import { join } from 'node:path'
import type { Built, HostBuild } from '../builder/build.ts'
import type { Network } from '../builder/context.ts'
import type { HostPlan } from '../builder/host-plan.ts'
import type { FrozenFlag } from '../builder/lock/frozen.ts'
import type { LabNeeds } from '../builder/secrets/lab-secrets.ts'
import { UserError } from '../errors.ts'
import { requireWritable } from '../lib/writable-directory.ts'
import type { Host } from '../overlays/host-facts.ts'
import type { CommandContext } from './command.ts'
import { forEveryHost, type HostFailure } from './host-failures.ts'

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
  const { plans, needs } = await planLab(context, names, NOTHING_BUILT)
  const hosts = plans.map((plan) => ({ plan, output: join(context.project, 'out', plan.name) }))
  for (const { output } of hosts) requireWritable(output)
  const begun = performance.now()
  const opened = await openBuildContext({ ...context, runner }, network)
  const builds = await buildAll(opened, { hosts, frozen, needs })
  return { ...resultsOf(plans, builds), took: performance.now() - begun }
}

/** What the builder needs to know of a host, and the host. */
type Plan = HostPlan & { readonly host: Host }

const NOTHING_BUILT = {
  outcome: 'hangar built nothing',
  hint: 'correct these hosts, or name only the other hosts: npm run build:image HOST …',
}

type Failed = Readonly<Record<'outcome' | 'hint', string>>

/** The plans of hosts, each host once. */
export async function plansFor(context: CommandContext, names: readonly string[], failed: Failed): Promise<Plan[]> {
  return (await planLab(context, names, failed)).plans
}

/**
 * The plans of hosts, each host once, and the secrets that all hosts need. Throws one error with the mistakes of all named
 * hosts: finding them takes milliseconds, and the user should not read about the first mistake after the minutes that the
 * other hosts take.
 */
export async function planLab(
  { hosts }: CommandContext,
  names: readonly string[],
  failed: Failed,
): Promise<{ plans: Plan[]; needs: LabNeeds }> {
  const { labOfHosts, planOf } = await import('../hosts/schema/plan.ts')
  const { checkLab } = await import('../hosts/schema/lab.ts')
  const loaded = new Map(hosts.names().map((name) => [name, hosts.load(name)]))
  const lab = await validHosts([...loaded.values()])
  const plan = (host: Host) => {
    const others = lab.filter((other) => other.name !== host.name)
    return planOf(host, labOfHosts({ domain: host.network.domain, providers: {} }, [host, ...others]))
  }
  const plans = await forEveryHost([...new Set(names)], failed, async (name) => {
    const host = await (loaded.get(name) ?? hosts.load(name))
    checkLab(host, lab)
    return plan(host)
  })
  const others = lab.filter(({ name }) => !names.includes(name)).flatMap((host) => validPlan(() => plan(host)))
  return { plans, needs: needsOf([...plans, ...others], [...loaded.keys()]) }
}

/** The plan of a host that is not named. Its error is for the command that needs this host. */
function validPlan(plan: () => Plan): Plan[] {
  try {
    return [plan()]
  } catch (error) {
    if (error instanceof UserError) return []
    throw error
  }
}

function needsOf(plans: readonly Plan[], all: readonly string[]): LabNeeds {
  const hosts = Object.fromEntries(plans.map(({ name, secrets }) => [name, secrets]))
  return { hosts, unknown: all.filter((name) => !Object.hasOwn(hosts, name)) }
}

/** The hosts whose files are valid. The error of an invalid file is for the command that needs this host. */
async function validHosts(hosts: readonly Promise<Host>[]): Promise<Host[]> {
  const results = await Promise.allSettled(hosts)
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

function resultsOf(plans: readonly Plan[], builds: readonly HostBuild[]): Omit<HostBuilds, 'took'> {
  const keysOf = ({ host: { ssh, updates } }: Plan) => ({ login: ssh.keys, signing: updates.signingKeys })
  const results = builds.flatMap((build, at): HostResult[] => {
    const plan = plans[at]
    return plan !== undefined && 'built' in build ? [{ ...build, keys: keysOf(plan) }] : []
  })
  return { results, failures: builds.flatMap((build) => ('error' in build ? [build] : [])) }
}
