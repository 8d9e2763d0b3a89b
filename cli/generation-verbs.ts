import type { Command } from 'commander'
import { loadHost } from './host-files/load.ts'
import type { Session } from './session.ts'

interface DiffFlags {
  readonly files: boolean
  readonly against?: string
  readonly markdown?: true
  readonly json?: true
}

/** What there is to do with the images that the store knows. */
export function generationVerbs(program: Command, session: Session): void {
  const { print } = session
  const host = async (name: string) => (await loadHost(session.project, name)).name

  program
    .command('generations <host>')
    .description('the images of a host that this store knows, newest first')
    .option('--all', 'also those of which only the name is left')
    .option('--json', 'for programs: all of them')
    .action(async (name: string, flags: { all?: true; json?: true }) => {
      const { generationsCommand } = await import('./commands/generations.ts')
      const how = { shown: flags.all ? 'all' : 'kept', format: flags.json ? 'json' : 'text' } as const
      print(await generationsCommand({ ...session, ...how, host: await host(name) }))
    })

  program
    .command('diff <host> [numbers...]')
    .description('what two images of a host differ in: the newest and the one before, or A [and B]')
    .option('--no-files', 'without a look into the layers, which takes a sandbox')
    .option('--against <directory>', 'out/HOST with what another checkout built, with the same store, in DIRECTORY')
    .option('--markdown', 'as a comment on a pull request has it')
    .option('--json', 'for programs: all of it')
    .action(async (name: string, numbers: string[], flags: DiffFlags) => {
      const { diffCommand } = await import('./commands/diff.ts')
      const { QUIET } = await import('./display/quiet.ts')
      const files = flags.files ? 'listed' : 'left out'
      const format = flags.json ? 'json' : flags.markdown ? 'markdown' : 'text'
      const quiet = format === 'text' ? session : { ...session, reporter: QUIET }
      const { against } = flags
      print(await diffCommand({ ...quiet, numbers, against, files, format, host: await host(name) }))
    })

  program
    .command('pin <host> <number>')
    .description('keep a generation, whatever is collected')
    .action(async (name: string, number: string) => {
      const { pinCommand } = await import('./commands/pin.ts')
      print(await pinCommand({ ...session, host: await host(name), number }))
    })

  program
    .command('unpin <host> <number>')
    .description('let a generation go when its time has come')
    .action(async (name: string, number: string) => {
      const { unpinCommand } = await import('./commands/pin.ts')
      print(await unpinCommand({ ...session, host: await host(name), number }))
    })

  program
    .command('gc')
    .description('forget old generations, and remove from the store what nothing needs any more')
    .option('--keep <n>', 'so many of the newest of each host stay: 5 if not said')
    .option('--older-than <age>', 'younger ones stay too: 12h, 30d, 8w')
    .option('--dry-run', 'say what would go')
    .action(async (flags: { keep?: string; olderThan?: string; dryRun?: true }) => {
      const { gcCommand } = await import('./commands/gc.ts')
      print(await gcCommand({ ...session, flags }))
    })
}
