import { UserError } from '../../errors.ts'
import { type CliContext, storeUse } from '../context.ts'
import { openStore, storeRoot } from '../store/directory.ts'
import { usingStore } from '../store/leases.ts'
import { openRepository } from './open-repository.ts'
import { type Published, publish } from './publish.ts'
import { parseRemote, remoteText } from './remote.ts'

export interface PublishHostRequest {
  readonly host: string
  /** The destination that the user typed: `oci://REGISTRY/NAME[:TAG]`, or a directory. */
  readonly to: string
  /** The number of the generation to publish; undefined for the newest generation. */
  readonly number: number | undefined
  readonly transport: 'https' | 'plain-http'
}

/** Publishes a generation of a host from the store to a remote repository. */
export async function publishHost(context: CliContext, request: PublishHostRequest): Promise<Published> {
  const { host, to, number, transport } = request
  const { env, reporter } = context
  const { remote, reference } = parseRemote(to)
  if (reference !== undefined && 'digest' in reference) throw digestGiven(to)
  const store = await openStore(storeRoot(env))
  const onRetry = (reason: string) => reporter.notice(`${remoteText(remote)}: ${reason}; trying again`)
  return usingStore(storeUse({ ...context, store }, `publishing of ${host}`), () =>
    publish({
      ...{ ...context, host, store, tag: reference?.tag, number },
      open: (signal) => openRepository(remote, { env, transport, actions: 'pull,push', signal, onRetry }),
    }),
  )
}

function digestGiven(to: string): UserError {
  return new UserError('usage', `cannot publish to '${to}': it names a digest, wanted a tag or no tag`, {
    hint: "give a tag, or leave the tag out to use the host's own tag: oci://REGISTRY/NAME[:TAG]",
  })
}
