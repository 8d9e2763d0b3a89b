import type { Command } from 'commander'
import type { PublishFlags } from '../commands/publish.ts'
import type { PullFlags } from '../commands/pull.ts'
import type { PullingHost } from '../publishing/incoming.ts'
import type { Session } from './session.ts'

const PLACE = 'oci://REGISTRY/NAME[:TAG], or a directory'
const PLAIN_HTTP = 'speak to the registry without TLS, on a network where nobody else listens'

/** What brings images from one machine to another; `hostOf` reads a host's own file. */
export function publishingVerbs(
  program: Command,
  session: Session,
  hostOf: (name: string) => Promise<PullingHost>,
): void {
  const { print } = session

  program
    .command('publish <host>')
    .description('put an image where other machines can take it from')
    .requiredOption('--to <place>', PLACE)
    .option('--generation <n>', 'an earlier one: the newest if not said')
    .option('--plain-http', PLAIN_HTTP)
    .action(async (name: string, flags: PublishFlags) => {
      const { publishCommand } = await import('../commands/publish.ts')
      print(await publishCommand({ ...session, host: (await hostOf(name)).name, flags }))
    })

  program
    .command('pull <host>')
    .description('bring a published image into out/HOST, if a key that the host trusts has signed it')
    .requiredOption('--from <place>', PLACE)
    .option('--plain-http', PLAIN_HTTP)
    .action(async (name: string, flags: PullFlags) => {
      const { pullCommand } = await import('../commands/pull.ts')
      print(await pullCommand({ ...session, host: await hostOf(name), flags }))
    })
}
