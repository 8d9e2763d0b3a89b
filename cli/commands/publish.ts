import { type CliContext, storeUse } from '../../builder/context.ts'
import { parseNumber } from '../../builder/generations/find.ts'
import { openRepository } from '../../builder/publish/open-repository.ts'
import { type Published, publish } from '../../builder/publish/publish.ts'
import { parseRemote, remoteText } from '../../builder/publish/remote.ts'
import { countText } from '../../builder/publish/repository.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { usingStore } from '../../builder/store/leases.ts'
import { UserError } from '../../errors.ts'
import { short } from '../../images/digest.ts'
import { formatSize } from '../../lib/format.ts'

export interface PublishFlags {
  readonly to: string
  readonly generation?: string
  readonly plainHttp?: true
}

export interface PublishCommand extends CliContext {
  readonly host: string
  readonly flags: PublishFlags
}

/** Publishes a generation of a host; the text to end with. */
export async function publishCommand({ host, flags, ...cliContext }: PublishCommand): Promise<string> {
  const { env, reporter } = cliContext
  const { remote, reference } = parseRemote(flags.to)
  if (reference !== undefined && 'digest' in reference) throw digestGiven(flags.to)
  const number = flags.generation === undefined ? undefined : parseNumber(flags.generation, host)
  const store = await openStore(storeRoot(env))
  const transport = flags.plainHttp ? 'plain-http' : 'https'
  const onRetry = (reason: string) => reporter.notice(`${remoteText(remote)}: ${reason}; trying again`)
  const published = await usingStore(storeUse({ ...cliContext, store }, `publishing of ${host}`), () =>
    publish({
      ...{ ...cliContext, host, store, tag: reference?.tag, number },
      open: (signal) => openRepository(remote, { env, transport, actions: 'pull,push', signal, onRetry }),
    }),
  )
  return closing(host, published)
}

function closing(host: string, { where, generation, tags, digest, sent, there }: Published): string {
  const { number, root } = generation
  const kept = there.count === 0 ? '' : `; ${there.count} (${formatSize(there.bytes)}) were there`
  return [
    `${host}: generation ${number} (${short(root)}) is at ${where}:${tags.join(' and :')}`,
    `sent ${countText(sent.count)}, ${formatSize(sent.bytes)}${kept}; exactly this image is @sha256:${digest}`,
    `next: npm run pull ${host} -- --from '${where}:${tags.at(-1)}'`,
  ].join('\n')
}

function digestGiven(to: string): UserError {
  return new UserError('usage', `cannot publish to '${to}': a digest names what is published already`, {
    hint: "give a tag, or none for the host's own: oci://REGISTRY/NAME[:TAG]",
  })
}
