import { join } from 'node:path'
import { type CliContext, storeUse } from '../context.ts'
import { ownSigningKeys } from '../keys/owner-keys.ts'
import { openStore, storeRoot } from '../store/directory.ts'
import { usingStore } from '../store/leases.ts'
import type { PullingHost } from './incoming.ts'
import { openRepository } from './open-repository.ts'
import { type Pulled, pull } from './pull.ts'
import { parseRemote, remoteText } from './remote.ts'

export interface PullHostRequest {
  /**
   * The host of the image. `trusted` has the signing keys in the host file; hangar also trusts this machine's own
   * signing keys.
   */
  readonly host: PullingHost
  /** The source that the user typed: `oci://REGISTRY/NAME[:TAG]`, or a directory. */
  readonly from: string
  readonly transport: 'https' | 'plain-http'
}

/** Copies a published image of a host into the store and `out/HOST`. */
export async function pullHost(context: CliContext, { host, from, transport }: PullHostRequest): Promise<Pulled> {
  const { env, reporter, project } = context
  const { remote, reference } = parseRemote(from)
  const store = await openStore(storeRoot(env))
  const onRetry = (reason: string) => reporter.notice(`${remoteText(remote)}: ${reason}; trying again`)
  return usingStore(storeUse({ ...context, store }, `pull of ${host.name}`), () =>
    pull({
      ...{ ...context, store, reference, output: join(project, 'out', host.name) },
      host: { ...host, trusted: [...ownSigningKeys(env), ...host.trusted] },
      open: (signal) => openRepository(remote, { env, transport, actions: 'pull', signal, onRetry }),
    }),
  )
}
