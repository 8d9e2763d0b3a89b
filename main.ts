import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { FrozenFlag } from './builder/lock/frozen.ts'
import { type BuildFlags, buildMode } from './cli/commands/build-flags.ts'
import { checkFlashFlags, type FlashFlags, requireOneHost } from './cli/commands/flash-flags.ts'
import type { InitFlags } from './cli/commands/init.ts'
import { generationVerbs } from './cli/generation-verbs.ts'
import { hostNames, loadHost } from './cli/host-files/load.ts'
import type { Flag, Verb } from './cli/invocation.ts'
import { nextStep } from './cli/next-step.ts'
import { refuseSwallowedFlags } from './cli/npm-traps.ts'
import { publishingVerbs } from './cli/publishing-verbs.ts'
import { type Session, withSession } from './cli/session.ts'
import { usageError } from './cli/usage.ts'
import type { Host } from './overlays/host-facts.ts'

/** Parses the command line, runs one command, and prints what it returned. What a command needs is imported with it. */
export async function main(args: readonly string[], project: string): Promise<void> {
  await withSession(project, async (session) => {
    const program = verbs(session)
    if (args.length === 0) return program.outputHelp()
    const verb = verbAt(program, args)
    refuseSwallowedFlags(session.env, verb, args, allFlags(program))
    await program.parseAsync([...args], { from: 'user' }).catch((error) => {
      if (!(error instanceof CommanderError)) throw error
      if (error.exitCode !== 0) throw usageError(error.message, session.env, verb)
    })
  })
}

function verbs(session: Session): Command {
  const { project, print } = session
  const program = new Command('hangar')
    .description('Builds images for the machines of a home lab')
    .exitOverride()
    .configureOutput({ outputError: () => {} })

  program
    .command('build <host>')
    .description('build the image of a host into out/HOST')
    .option('--frozen', 'fail rather than change the lock')
    .option('--no-frozen', 'change the lock where it has to be, in continuous integration too')
    .option('--offline', 'fetch nothing: from the store alone')
    .option('--generation <number>', 'that earlier image again, to the byte, whatever the tree says now')
    .option('--runner <runner>', RUNNER)
    .action(async (name: string, flags: BuildFlags, command: Command) => {
      const { frozen, network } = buildMode(flags, frozenFlag(command))
      const { runner } = flags
      if (flags.generation !== undefined) {
        const { rebuildCommand } = await import('./cli/commands/rebuild.ts')
        return print(await rebuildCommand({ ...session, runner, host: name, number: flags.generation, network }))
      }
      const { buildCommand } = await import('./cli/commands/build.ts')
      print(await buildCommand({ ...session, runner, plan: await planFor(project, name), frozen, network }))
    })

  generationVerbs(program, session)

  program
    .command('init <host>')
    .description("make a host's identity: before its first build, once")
    .option('--rotate <key>', "put a new key before the old ones: 'ssh' or 'age'")
    .option(
      '--adopt <fingerprint>',
      'take over the identity that the host made itself: SHA256:… as its console shows it',
    )
    .option('--at <address>', 'where it is, if not where its host file says: ADDRESS[:PORT]')
    .action(async (name: string, flags: InitFlags) => {
      const { initCommand, initGoal } = await import('./cli/commands/init.ts')
      const { keyscan } = await import('./flash/ssh/keyscan.ts')
      const { parseAddress } = await import('./flash/ssh/address.ts')
      const host = await hostFile(project, name)
      const scan = async (address: string) => {
        const { unpackPrograms } = await import('./cli/programs.ts')
        const { CONTROL } = await import('./images/control-set.ts')
        const at = parseAddress(address)
        return keyscan({ programs: await unpackPrograms(session, CONTROL), host: name, at, signal: session.signal })
      }
      const goal = initGoal(flags, host.network.address)
      print(await initCommand({ ...session, host: host.name, goal, keyscan: scan }))
    })

  program
    .command('lock')
    .description('resolve what hosts ask for and the lock does not answer yet')
    .option('--update', 'move everything forward')
    .action(async (flags: { update?: true }) => {
      const { lockCommand } = await import('./cli/commands/lock.ts')
      const { CONTROL } = await import('./images/control-set.ts')
      const { VM } = await import('./images/vm-set.ts')
      const plans = await Promise.all(hostNames(project).map((name) => planFor(project, name)))
      print(await lockCommand({ ...session, plans, tools: [CONTROL, VM], mode: flags.update ? 'update' : 'missing' }))
    })

  program
    .command('vm <host>')
    .description('boot the built image of a host in a virtual machine')
    .option('--keep', 'keep the disk for the next start')
    .action(async (name: string, flags: { keep?: true }) => {
      const { runVm } = await import('./cli/commands/vm.ts')
      const { unpackPrograms } = await import('./cli/programs.ts')
      const { keyDirectory } = await import('./builder/keys/owner-keys.ts')
      const { forwardsOf } = await import('./hosts/schema/forwards.ts')
      const { VM } = await import('./images/vm-set.ts')
      const host = await hostFile(project, name)
      const programs = await unpackPrograms(session, VM)
      session.leaveTerminal()
      await runVm({
        ...{ host, programs, forwards: forwardsOf(host), signal: session.signal },
        output: join(project, 'out', host.name),
        disk: flags.keep ? 'kept' : 'throw-away',
        sshKey: join(keyDirectory(session.env), 'ssh_key'),
        terminal: { input: process.stdin, output: process.stdout },
      })
    })

  program
    .command('flash <hosts...>')
    .description('bring hosts to what their files say: build, write the other slot, try it, commit it')
    .option('--dry-run', 'say what would be done')
    .option('--stage', 'only write: nothing restarts')
    .option('--full', 'send all blocks, without asking what is missing')
    .option('--allow-downgrade', 'an image older than what the host has committed, too')
    .option('--trial-seconds <n>', 'how long it may take to become healthy: 300 if not said')
    .option('--no-build', 'the image as it is in out/HOST')
    .option('--runner <runner>', RUNNER)
    .option('--at <address>', AT)
    .option('--disk <disk>', 'write the whole disk on this machine instead: the first time, or a new card')
    .option('--yes', 'with --disk: ask nothing')
    .option('--keep-data', 'with --disk: keep the data volume that is there')
    .option('--without-identity', 'with --disk: the host makes its identity itself')
    .action(async (names: string[], flags: FlashFlags) => print(await flashHosts(session, names, flags)))

  program
    .command('revert <host>')
    .description('take a host back to its previous slot')
    .option('--with-data', 'to its data as that slot left it, too')
    .option('--at <address>', AT)
    .action(async (name: string, flags: { withData?: true; at?: string }) => {
      const { revertCommand } = await import('./cli/commands/revert.ts')
      const tools = await controlTools(session)
      const target = await targetOf(project, name, flags.at)
      const given = { data: flags.withData ? 'as-was' : 'carried', generations: tools.generations(name) } as const
      print(await revertCommand({ ...tools, ...given, target, progress: session.reporter }))
    })

  program
    .command('status [host]')
    .description('what hosts run, and what became of updates; fails only for a host that is named and cannot be read')
    .option('--json', 'for programs: a list with reachable and status or error of each; never fails for a host')
    .option('--at <address>', AT)
    .action(async (name: string | undefined, flags: { json?: true; at?: string }) => {
      const { statusCommand } = await import('./cli/commands/status.ts')
      requireOneHost(name === undefined ? [] : [name], flags)
      const names = name === undefined ? hostNames(project) : [name]
      const targets = await Promise.all(names.map((each) => targetOf(project, each, flags.at)))
      const how = { asked: name === undefined ? 'all' : 'one', format: flags.json ? 'json' : 'text' } as const
      const { QUIET } = await import('./cli/display/quiet.ts')
      const tools = await controlTools(flags.json ? { ...session, reporter: QUIET } : session)
      print(await statusCommand({ ...tools, targets, ...how }))
    })

  publishingVerbs(program, session, {
    async hostOf(name) {
      const { updates, ...host } = await hostFile(project, name)
      const { PLATFORM } = await import('./hosts/schema/plan.ts')
      return { ...host, platform: PLATFORM, trusted: updates.signingKeys }
    },
    async zstd() {
      const { unpackPrograms } = await import('./cli/programs.ts')
      const { programOf } = await import('./flash/vm/program.ts')
      const { CONTROL } = await import('./images/control-set.ts')
      return programOf(await unpackPrograms(session, CONTROL), 'zstd')
    },
  })

  const store = program.command('store').description('what was fetched and built')
  store
    .command('verify')
    .description('read every object and name the damaged ones')
    .action(async () => {
      const { storeVerifyCommand } = await import('./cli/commands/store-verify.ts')
      print(await storeVerifyCommand(session))
    })

  return program.addHelpText('after', () => `\nnext: ${nextStep(project, hostNames(project))}`)
}

const RUNNER = 'what runs builds: dagger, local, or auto: a Dagger engine where there is one'
const AT = 'where it is, if not where its host file says: ADDRESS[:PORT]'

async function flashHosts(session: Session, names: readonly string[], flags: FlashFlags): Promise<string> {
  const { project } = session
  checkFlashFlags(names, flags)
  const build = async (name: string) => {
    if (!flags.build) return
    const { buildCommand } = await import('./cli/commands/build.ts')
    const { runner } = flags
    const text = await buildCommand({ ...session, runner, plan: await planFor(project, name), frozen: undefined })
    session.reporter.notice(text.split('\n').find((line) => line.startsWith(`${name}: `)) ?? `${name}: built`)
  }
  if (flags.disk !== undefined) return flashDisk(session, names[0] ?? '', flags.disk, flags, build)
  const { hostOwnKeys, readPublicIdentity } = await import('./builder/keys/host-identity.ts')
  const { withHostLocks } = await import('./lib/file-lock.ts')
  const { flashCommand } = await import('./cli/commands/flash.ts')
  const { goalOf } = await import('./flash/goal.ts')
  const targets = await Promise.all(
    names.map(async (name) => ({
      ...(await targetOf(project, name, flags.at)),
      output: join(project, 'out', name),
      identity: { known: readPublicIdentity(project, name), open: () => hostOwnKeys(session, name) },
    })),
  )
  const tools = await controlTools(session)
  const [goal, mode] = [goalOf(flags, tools.owner), flags.dryRun ? 'dry-run' : 'run'] as const
  const run = () => flashCommand({ ...tools, targets, goal, mode, build, progress: session.reporter })
  return mode === 'dry-run' ? run() : withHostLocks(project, [...new Set(names)], run)
}

/** A whole disk of this machine, with a new table. */
async function flashDisk(
  session: Session,
  name: string,
  disk: string,
  flags: FlashFlags,
  build: (name: string) => Promise<void>,
): Promise<string> {
  const { firstFlash } = await import('./cli/commands/first-flash.ts')
  const { hostIdentityTar } = await import('./builder/keys/host-identity.ts')
  const host = await hostFile(session.project, name)
  await build(name)
  if (!flags.yes) session.leaveTerminal()
  return firstFlash({
    ...{ host, disk, output: join(session.project, 'out', name), signal: session.signal },
    identity: flags.withoutIdentity ? 'without' : (trust) => hostIdentityTar(session, name, trust),
    data: flags.keepData ? 'keep' : 'format',
    confirmation: flags.yes ? 'yes' : 'ask',
    terminal: { input: process.stdin, output: process.stdout },
    progress: session.reporter,
  })
}

/** What reaches hosts from this machine, and what its store knows of their images. */
async function controlTools(session: Session) {
  const { env, project, signal } = session
  const { unpackPrograms } = await import('./cli/programs.ts')
  const { keyDirectory } = await import('./builder/keys/owner-keys.ts')
  const { storeRoot } = await import('./builder/store/directory.ts')
  const { generationsOf } = await import('./builder/generations/record.ts')
  const { controllerOf } = await import('./flash/controller.ts')
  const { CONTROL } = await import('./images/control-set.ts')
  const programs = await unpackPrograms(session, CONTROL)
  const generations = (host: string) =>
    new Map(generationsOf(storeRoot(env), host).map((each) => [each.root as string, each]))
  return { ...controllerOf({ programs, project, signal, keyFile: join(keyDirectory(env), 'ssh_key') }), generations }
}

async function targetOf(project: string, name: string, at: string | undefined) {
  const { readPublicIdentity } = await import('./builder/keys/host-identity.ts')
  const { parseAddress } = await import('./flash/ssh/address.ts')
  const { network } = await hostFile(project, name)
  const hostKeys = readPublicIdentity(project, name)?.ssh ?? []
  return { host: name, at: parseAddress(at ?? network.address), hostKeys }
}

async function planFor(project: string, name: string) {
  const { planOf } = await import('./hosts/schema/plan.ts')
  return planOf(await hostFile(project, name))
}

/** Only `host()` makes such values: a host file is compiled to share the program's own copy of it. */
async function hostFile(project: string, name: string): Promise<Host> {
  return (await loadHost(project, name)) as Host
}

function frozenFlag(command: Command): FrozenFlag {
  if (command.getOptionValueSource('frozen') !== 'cli') return undefined
  return command.opts<{ frozen: boolean }>().frozen ? 'frozen' : 'no-frozen'
}

/** What the words of a command line name, as far as they name something. */
function verbAt(command: Command, args: readonly string[], path: readonly string[] = []): Verb {
  const inner = command.commands.find((each) => each.name() === args[0])
  if (inner !== undefined) return verbAt(inner, args.slice(1), [...path, inner.name()])
  return { path, words: command.registeredArguments.map((each) => each.name().toUpperCase()), flags: flagsOf(command) }
}

function flagsOf(command: Command): Flag[] {
  return command.options.map(({ long, flags }) => ({ long: long ?? '', value: /<(.+)>/.exec(flags)?.[1] }))
}

function allFlags(command: Command): Flag[] {
  return [...flagsOf(command), ...command.commands.flatMap(allFlags)]
}
