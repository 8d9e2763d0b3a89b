import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { Flag, Verb } from './builder/cli/invocation.ts'
import { nextStep } from './builder/cli/next-step.ts'
import { refuseSwallowedFlags } from './builder/cli/npm-traps.ts'
import { type Session, withSession } from './builder/cli/session.ts'
import { usageError } from './builder/cli/usage.ts'
import { hostNames, loadHost } from './builder/hosts/load.ts'
import type { FrozenFlag } from './builder/lock/frozen.ts'
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
    .action(async (name: string, _flags, command: Command) => {
      const { buildCommand } = await import('./builder/commands/build.ts')
      print(await buildCommand({ ...session, plan: await planFor(project, name), frozen: frozenFlag(command) }))
    })

  program
    .command('lock')
    .description('resolve what hosts ask for and the lock does not answer yet')
    .option('--update', 'move everything forward')
    .action(async (flags: { update?: true }) => {
      const { lockCommand } = await import('./builder/commands/lock.ts')
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
      const { runVm } = await import('./flash/commands/vm.ts')
      const { unpackPrograms } = await import('./builder/cli/programs.ts')
      const { keyDirectory } = await import('./builder/keys/owner-keys.ts')
      const { forwardsOf } = await import('./hosts/forwards.ts')
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

  const store = program.command('store').description('what was fetched and built')
  store
    .command('verify')
    .description('read every object and name the damaged ones')
    .action(async () => {
      const { storeVerifyCommand } = await import('./builder/commands/store-verify.ts')
      print(await storeVerifyCommand(session))
    })

  return program.addHelpText('after', () => `\nnext: ${nextStep(project, hostNames(project))}`)
}

async function planFor(project: string, name: string) {
  const { planOf } = await import('./hosts/plan.ts')
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
