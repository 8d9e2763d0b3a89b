import type { Command } from 'commander'
import type { Zstd } from '../builder/export/zstd.ts'
import type { PullingHost } from '../builder/publish/incoming.ts'
import type { PublishFlags } from './commands/publish.ts'
import type { PullFlags } from './commands/pull.ts'
import type { Session } from './session.ts'

const PLACE = 'oci://REGISTRY/NAME[:TAG], or a directory'
const PLAIN_HTTP = 'speak to the registry without TLS, on a network where nobody else listens'

export interface PublishingTools {
  /** Reads a host's own file. */
  readonly hostOf: (name: string) => Promise<PullingHost>
  readonly zstd: () => Promise<Zstd>
}

/** What brings images from one machine to another. */
export function publishingVerbs(program: Command, session: Session, { hostOf, zstd }: PublishingTools): void {
  const { print } = session

  program
    .command('publish <host>')
    .description('put an image where other machines can take it from')
    .requiredOption('--to <place>', PLACE)
    .option('--generation <n>', 'an earlier one: the newest if not said')
    .option('--plain-http', PLAIN_HTTP)
    .action(async (name: string, flags: PublishFlags) => {
      const { publishCommand } = await import('./commands/publish.ts')
      print(await publishCommand({ ...session, host: (await hostOf(name)).name, flags }))
    })

  program
    .command('pull <host>')
    .description('bring a published image into out/HOST, if a key that the host trusts has signed it')
    .requiredOption('--from <place>', PLACE)
    .option('--plain-http', PLAIN_HTTP)
    .action(async (name: string, flags: PullFlags) => {
      const { pullCommand } = await import('./commands/pull.ts')
      print(await pullCommand({ ...session, host: await hostOf(name), flags }))
    })

  program
    .command('export <host>')
    .description('put the built disk image where people take it from: compressed, with its map, SBOM and sums')
    .requiredOption('--to <directory>', 'a directory that is not there yet, or an earlier export')
    .action(async (name: string, { to }: { to: string }) => {
      const { exportCommand } = await import('./commands/export.ts')
      print(await exportCommand({ ...session, host: await hostOf(name), to, zstd: await zstd() }))
    })
}
