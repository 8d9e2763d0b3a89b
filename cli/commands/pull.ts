import { join } from 'node:path'
import { type CliContext, storeUse } from '../../builder/context.ts'
import { ownSigningKeys } from '../../builder/keys/owner-keys.ts'
import type { PullingHost } from '../../builder/publish/incoming.ts'
import { openRepository } from '../../builder/publish/open-repository.ts'
import { type Pulled, pull } from '../../builder/publish/pull.ts'
import { parseRemote, remoteText } from '../../builder/publish/remote.ts'
import { openStore, storeRoot } from '../../builder/store/directory.ts'
import { usingStore } from '../../builder/store/leases.ts'
import { short } from '../../images/digest.ts'
import { formatSize } from '../../lib/format.ts'

export interface PullFlags {
  readonly from: string
  readonly plainHttp?: true
}

export interface PullCommand extends CliContext {
  /** `trusted`: the keys that its own file names. */
  readonly host: PullingHost
  readonly flags: PullFlags
}

/** Brings a published image of a host into the store and `out/HOST`; the text to end with. */
export async function pullCommand({ host, flags, ...cliContext }: PullCommand): Promise<string> {
  const { env, reporter, project } = cliContext
  const { remote, reference } = parseRemote(flags.from)
  const store = await openStore(storeRoot(env))
  const transport = flags.plainHttp ? 'plain-http' : 'https'
  const onRetry = (reason: string) => reporter.notice(`${remoteText(remote)}: ${reason}; trying again`)
  const pulled = await usingStore(storeUse({ ...cliContext, store }, `pull of ${host.name}`), () =>
    pull({
      ...{ ...cliContext, store, reference, output: join(project, 'out', host.name) },
      host: { ...host, trusted: [...ownSigningKeys(env), ...host.trusted] },
      open: (signal) => openRepository(remote, { env, transport, actions: 'pull', signal, onRetry }),
    }),
  )
  return closing(host.name, pulled)
}

function closing(host: string, { from, generation, signed, facts, outputs }: Pulled): string {
  const { root, size } = signed
  const built = `built ${facts.built}${facts.revision === null ? '' : ` from ${facts.revision}`}`
  return [
    `${host}: generation ${generation} (${short(root)}), ${formatSize(size)} in out/${host}, ${outputs}`,
    `from ${from}: ${built}, signed by a key that hosts/${host}.ts or this machine trusts`,
    `next: npm run flash ${host} -- --no-build`,
  ].join('\n')
}
