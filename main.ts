import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { describeFailure } from './builder/cli/failure.ts'
import { refuseSwallowedFlags } from './builder/cli/npm-traps.ts'
import { openReporter } from './builder/cli/reporter.ts'
import { hostNames, loadHost } from './builder/hosts/load.ts'
import { keyDirectory } from './builder/keys/owner-keys.ts'
import type { FrozenFlag } from './builder/lock/frozen.ts'
import { forwardsOf } from './hosts/forwards.ts'
import { planOf } from './hosts/plan.ts'
import { VM } from './images/vm-set.ts'
import type { Host } from './overlays/host-facts.ts'

/** Sets of programs that are ours and no host's. */
const TOOLS = [VM]

/** Parses the command line and runs one command; the exit status is set, and everything printed. */
export async function main(args: readonly string[], project: string): Promise<void> {
  const reporter = openReporter()
  const stop = new AbortController()
  stopOnSignals(stop)
  const surroundings = { env: process.env, project, reporter, now: new Date(), signal: stop.signal }
  const program = new Command('hangar').description('Builds images for the machines of a home lab').exitOverride()
  const print = (text: string) => {
    reporter.close()
    process.stdout.write(`${text}\n`)
  }

  program
    .command('build <host>')
    .description('build the image of a host into out/HOST')
    .option('--frozen', 'fail rather than change the lock')
    .option('--no-frozen', 'change the lock where it has to be, in CI too')
    .action(async (host: string, _flags, command: Command) => {
      const { buildCommand } = await import('./builder/commands/build.ts')
      const plan = planOf(await load(project, host))
      print(await buildCommand({ ...surroundings, plan, frozen: frozenFlag(command) }))
    })

  program
    .command('lock')
    .description('resolve what the lock does not name yet')
    .option('--update', 'move everything forward')
    .action(async (flags: { update?: true }) => {
      const { lockCommand } = await import('./builder/commands/lock.ts')
      const hosts = await Promise.all(hostNames(project).map((name) => load(project, name)))
      const mode = flags.update ? 'update' : 'missing'
      print(await lockCommand({ ...surroundings, plans: hosts.map(planOf), tools: TOOLS, mode }))
    })

  program
    .command('vm <host>')
    .description('boot the built image of a host in a virtual machine')
    .option('--keep', 'keep the disk for the next start')
    .action(async (name: string, flags: { keep?: true }) => {
      const { unpackedPrograms } = await import('./builder/commands/programs.ts')
      const { runVm } = await import('./flash/commands/vm.ts')
      const host = await load(project, name)
      const programs = await unpackedPrograms(surroundings, VM)
      reporter.close()
      await runVm({
        host,
        output: join(project, 'out', name),
        programs,
        forwards: forwardsOf(host),
        disk: flags.keep ? 'kept' : 'throw-away',
        sshKey: join(keyDirectory(process.env), 'ssh_key'),
        terminal: { input: process.stdin, output: process.stdout },
        signal: stop.signal,
      })
    })

  program
    .command('store')
    .description('the store of everything that was fetched and built')
    .command('verify')
    .description('read every object and name the damaged ones')
    .action(async () => {
      const { storeVerifyCommand } = await import('./builder/commands/store-verify.ts')
      print(await storeVerifyCommand(surroundings))
    })

  try {
    for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
      if (args[0] === command.name()) refuseSwallowedFlags(process.env, args, trapped(command))
    }
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    reporter.close()
    process.exitCode = fail(error, stop.signal)
  } finally {
    reporter.close()
  }
}

async function load(project: string, name: string): Promise<Host> {
  return (await loadHost(project, name)) as Host
}

function trapped(command: Command) {
  return { command: command.name(), flags: command.options.map(({ long }) => long ?? '') }
}

function frozenFlag(command: Command): FrozenFlag {
  if (command.getOptionValueSource('frozen') !== 'cli') return undefined
  return command.opts<{ frozen: boolean }>().frozen ? 'frozen' : 'no-frozen'
}

function fail(error: unknown, signal: AbortSignal): number {
  // Commander has printed its own help or complaint.
  if (error instanceof CommanderError) return error.exitCode
  const { text, exitCode } = describeFailure(signal.aborted ? signal.reason : error)
  process.stderr.write(`${text}\n`)
  return exitCode
}

/** The first signal lets what runs end cleanly; the second one ends at once. */
function stopOnSignals(stop: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
    })
  }
}
