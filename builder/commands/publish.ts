import { UserError } from '../../errors.ts'
import { short } from '../../images/digest.ts'
import { parseNumber } from '../generations/numbers.ts'
import { countText } from '../publishing/amount.ts'
import { openRepository } from '../publishing/open-repository.ts'
import { parsePlace, placeText } from '../publishing/place.ts'
import { type Published, publish } from '../publishing/publish.ts'
import { formatSize } from '../report/format.ts'
import { openStore, storeRoot } from '../store/directory.ts'
import { usingStore } from '../store/users.ts'
import { type Surroundings, storeUse } from '../workshop.ts'

export interface PublishFlags {
  readonly to: string
  readonly generation?: string
  readonly plainHttp?: true
}

export interface PublishCommand extends Surroundings {
  readonly host: string
  readonly flags: PublishFlags
}

/** Publishes a generation of a host; the text to end with. */
export async function publishCommand({ host, flags, ...surroundings }: PublishCommand): Promise<string> {
  const { env, reporter } = surroundings
  const { place, reference } = parsePlace(flags.to)
  if (reference !== undefined && 'digest' in reference) throw digestGiven(flags.to)
  const number = flags.generation === undefined ? undefined : parseNumber(flags.generation, host)
  const store = await openStore(storeRoot(env))
  const transport = flags.plainHttp ? 'plain-http' : 'https'
  const onRetry = (reason: string) => reporter.notice(`${placeText(place)}: ${reason}; trying again`)
  const published = await usingStore(storeUse({ ...surroundings, store }, `publishing of ${host}`), () =>
    publish({
      ...{ ...surroundings, host, store, tag: reference?.tag, number },
      open: (signal) => openRepository(place, { env, transport, actions: 'pull,push', signal, onRetry }),
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
