import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { HostDiskRequest } from '../../flash/disk/write-host-disk.ts'
import type { FlashResult, FlashTarget } from '../../flash/flash-hosts.ts'
import type { GoalFlags } from '../../flash/goal.ts'
import { buildHosts } from '../build-hosts.ts'
import type { Command, CommandContext } from '../command.ts'
import type { Terminal } from '../confirm.ts'
import { knownHost, openController } from '../controller.ts'
import { failureOf, forEveryHost } from '../host-failures.ts'
import { AT, RUNNER } from '../options.ts'
import { shortBuildsText } from '../text/build.ts'
import type { Generations } from '../text/generation.ts'

export interface FlashFlags extends GoalFlags {
  readonly dryRun?: true
  readonly build: boolean
  readonly runner?: string
  readonly at?: string
  readonly disk?: string
  readonly yes?: true
  readonly keepData?: true
  readonly withoutIdentity?: true
}

export const flash: Command<FlashFlags> = {
  name: 'flash',
  group: 'update',
  arguments: '<hosts...>',
  summary: 'build and update hosts over SSH, or write a disk',
  details: [
    'Builds each host, writes the image to the inactive slot, boots the slot on trial and commits it when healthy.',
    'An unhealthy trial ends, and the host returns to the slot that ran before. Hosts are updated one by one.',
    'With --disk, writes the whole disk of one host on this machine instead: for a first flash or a new card.',
  ],
  options: [
    { flags: '--dry-run', about: 'print the plan and change nothing on the hosts' },
    { flags: '--stage', about: 'write the inactive slot and restart nothing' },
    { flags: '--full', about: 'send all blocks (default: the blocks that the host does not have)' },
    { flags: '--allow-downgrade', about: 'allow an image that is older than the committed one' },
    { flags: '--trial-seconds <n>', about: 'time for a trial to become healthy, in seconds (default 300)' },
    { flags: '--no-build', about: 'use the image in out/HOST as it is (default: build the image first)' },
    RUNNER,
    AT,
    { flags: '--disk <disk>', about: 'write this disk or file instead of updating over SSH' },
    { flags: '--yes', about: 'skip the confirmation of --disk' },
    { flags: '--keep-data', about: 'keep the data volume of the disk, with --disk (default: create a new volume)' },
    {
      flags: '--without-identity',
      about: 'write no identity, with --disk; the host creates its identity at first boot',
    },
  ],
  examples: [
    { about: 'build and update adama', line: 'npm run flash adama' },
    { about: 'print the plan of an update', line: 'npm run flash adama -- --dry-run' },
    { about: 'write a new card for adama', line: 'npm run flash adama -- --disk /dev/sdX' },
  ],
  async run(context, names, flags) {
    checkFlashFlags(names, flags)
    const build: Build = async (hosts) => {
      if (flags.build) await buildForFlash(context, hosts, flags.runner)
    }
    if (flags.disk !== undefined) return writeDisk(context, names[0] ?? '', flags.disk, flags, build)
    return updateHosts(context, names, flags, build)
  },
}

type Build = (hosts: readonly string[]) => Promise<void>

/** Builds every image. Throws if one of them fails, so that hangar changes no host before all images are there. */
async function buildForFlash(context: CommandContext, hosts: readonly string[], runner: string | undefined) {
  const builds = await buildHosts(context, hosts, { runner })
  if (builds.results.length > 0) context.reporter.notice(shortBuildsText(builds))
  if (builds.failures.length === 0) return
  throw failureOf(builds.failures, NOTHING_CHANGED)
}

const NOTHING_CHANGED = {
  outcome: 'hangar changed no host',
  hint: 'correct these hosts, or name only the other hosts: npm run flash HOST …',
}

/** Updates hosts over SSH. */
async function updateHosts(context: CommandContext, names: readonly string[], flags: FlashFlags, build: Build) {
  const { flashHosts } = await import('../../flash/flash-hosts.ts')
  const { goalOf } = await import('../../flash/goal.ts')
  const { withHostLocks } = await import('../../lib/file-lock.ts')
  const { project, reporter } = context
  const targets = await forEveryHost(names, NOTHING_CHANGED, (name) => flashTarget(context, name, flags.at))
  const controller = await openController(context)
  const [goal, mode] = [goalOf(flags, controller.owner), flags.dryRun ? 'dry-run' : 'run'] as const
  const update = (onResult: (result: FlashResult) => void) =>
    flashHosts({ ...controller, targets, goal, mode, build, onResult, progress: reporter })
  const run = () => flashOutput(update, controller.generations, reporter.notice)
  return mode === 'dry-run' ? run() : withHostLocks(project, [...new Set(names)], run)
}

/** The texts of all results. If a host fails, prints the earlier results as notices. */
export async function flashOutput(
  update: (onResult: (result: FlashResult) => void) => Promise<void>,
  generations: (host: string) => Generations,
  notice: (text: string) => void,
): Promise<string> {
  const { flashText } = await import('../text/flash.ts')
  const texts: string[] = []
  try {
    await update((result) => void texts.push(flashText(result, generations(result.host))))
  } catch (error) {
    for (const text of texts) notice(text)
    throw error
  }
  return texts.join('\n\n')
}

async function flashTarget(context: CommandContext, name: string, at: string | undefined): Promise<FlashTarget> {
  const { hostOwnKeys, readPublicIdentity } = await import('../../builder/keys/host-identity.ts')
  const { project } = context
  return {
    ...(await knownHost(context, name, at)),
    output: join(project, 'out', name),
    identity: { known: readPublicIdentity(project, name), open: () => hostOwnKeys(context, name) },
  }
}

/** Writes the whole disk of a host on this machine, with a new partition table. */
async function writeDisk(context: CommandContext, name: string, disk: string, flags: FlashFlags, build: Build) {
  const { hostIdentityTar } = await import('../../builder/keys/host-identity.ts')
  const { project, reporter, signal } = context
  const host = await context.hosts.load(name)
  await build([name])
  if (!flags.yes) context.leaveTerminal()
  return flashDisk({
    ...{ host, disk, signal, output: join(project, 'out', name), progress: reporter },
    identity: flags.withoutIdentity ? 'without' : (trust) => hostIdentityTar(context, name, trust),
    data: flags.keepData ? 'keep' : 'format',
    confirmation: flags.yes ? 'skip' : 'ask',
    terminal: { input: process.stdin, output: process.stdout },
  })
}

export interface FlashDiskOptions extends Omit<HostDiskRequest, 'approve'> {
  readonly confirmation: 'ask' | 'skip'
  readonly terminal: Terminal
}

/** Asks for confirmation, writes the disk, and returns the text to print. */
export async function flashDisk({ confirmation, terminal, ...request }: FlashDiskOptions): Promise<string> {
  const { writeHostDisk } = await import('../../flash/disk/write-host-disk.ts')
  const { confirm } = await import('../confirm.ts')
  const { diskQuestion, diskText } = await import('../text/flash.ts')
  const { host, data, signal } = request
  const approve: HostDiskRequest['approve'] = async (target, found) => {
    if (confirmation === 'skip') return
    const lines = diskQuestion(host.name, target, { data, found })
    await confirm({ lines, answer: host.name, signal }, terminal)
  }
  return diskText(request, await writeHostDisk({ ...request, approve }))
}

const OF_DISK = { yes: '--yes', keepData: '--keep-data', withoutIdentity: '--without-identity' } as const
const OF_NETWORK = {
  ...{ dryRun: '--dry-run', stage: '--stage', full: '--full', allowDowngrade: '--allow-downgrade', at: '--at' },
  trialSeconds: '--trial-seconds',
} as const

/** Refuses flags that would have no effect. If hangar ignored `--dry-run` with `--disk`, it would write the disk. */
export function checkFlashFlags(names: readonly string[], flags: FlashFlags): void {
  requireOneHost(names, flags)
  const given = <Names extends object>(of: Names) =>
    Object.entries(of).find(([name]) => flags[name as keyof FlashFlags] !== undefined)?.[1] as string | undefined
  const network = given(OF_NETWORK)
  if (flags.disk !== undefined && network !== undefined) {
    throw new UserError('usage', `cannot combine '--disk' with '${network}': '--disk' writes a disk of this machine`, {
      hint: 'use only one of the two flags',
    })
  }
  const disk = given(OF_DISK)
  if (flags.disk === undefined && disk !== undefined) {
    throw new UserError('usage', `'${disk}' needs '--disk'`, { hint: `name the disk, or leave '${disk}' out` })
  }
  if (!flags.build && flags.runner !== undefined) {
    throw new UserError('usage', "cannot combine '--runner' with '--no-build'", {
      hint: 'use only one of the two flags',
    })
  }
}

/** Refuses `--at` and `--disk` unless the command names exactly one host. */
export function requireOneHost(
  names: readonly string[],
  flags: { readonly at?: string | undefined; readonly disk?: string | undefined },
): void {
  const flag = flags.disk !== undefined ? '--disk' : flags.at !== undefined ? '--at' : undefined
  if (flag === undefined || names.length === 1) return
  throw new UserError('usage', `'${flag}' needs exactly one host, not ${names.length || 'all'}`, {
    hint: `name one host, or leave '${flag}' out: addresses are in the host files`,
  })
}
