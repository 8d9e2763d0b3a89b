import { join } from 'node:path'
import type { Built } from '../builder/build.ts'
import type { Network } from '../builder/context.ts'
import type { FrozenFlag } from '../builder/lock/frozen.ts'
import { requireWritable } from '../lib/writable-directory.ts'
import type { Host } from '../overlays/host-facts.ts'
import type { CommandContext, HostFiles } from './command.ts'

export interface BuildOptions {
  readonly runner: string | undefined
  readonly frozen?: FrozenFlag
  readonly network?: Network
}

/** A build and its duration in milliseconds. */
export interface TimedBuild {
  readonly built: Built
  readonly took: number
  readonly keys: HostKeys
}

/** The public keys of a host file. */
export interface HostKeys {
  readonly login: readonly string[]
  readonly signing: readonly string[]
}

/** Builds the image of a host into `out/HOST`. */
export async function buildHost(
  context: CommandContext,
  name: string,
  { runner, frozen, network }: BuildOptions,
): Promise<TimedBuild> {
  const { openBuildContext } = await import('../builder/context.ts')
  const { build } = await import('../builder/build.ts')
  const plan = await planFor(context, name)
  const output = join(context.project, 'out', plan.name)
  requireWritable(output)
  const begun = performance.now()
  const opened = await openBuildContext({ ...context, runner }, network)
  const built = await build(opened, { plan, frozen, output })
  const { ssh, updates } = plan.host
  return { built, took: performance.now() - begun, keys: { login: ssh.keys, signing: updates.signingKeys } }
}

/** What the builder needs to know of a host: the packages to lock and the image to build. */
export async function planFor({ hosts }: CommandContext, name: string) {
  const { planOf } = await import('../hosts/schema/plan.ts')
  const { checkLab } = await import('../hosts/schema/lab.ts')
  const host = await hosts.load(name)
  checkLab(host, await hostsOf(hosts))
  return planOf(host)
}

const loaded = new WeakMap<HostFiles, Promise<Host[]>>()

/** The hosts whose files are valid, loaded once. The error of an invalid file is for the command that needs this host. */
function hostsOf(files: HostFiles): Promise<Host[]> {
  const known = loaded.get(files)
  if (known !== undefined) return known
  const valid = Promise.allSettled(files.names().map((name) => files.load(name))).then((results) =>
    results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
  )
  loaded.set(files, valid)
  return valid
}
