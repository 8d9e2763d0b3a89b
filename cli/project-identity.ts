import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { IdentityTar } from '../flash/disk/write-host-disk.ts'
import { privateIdentityFile } from '../images/identity/private-identity.ts'
import type { CommandContext } from './command.ts'

/** The identity of a host for the disk of a virtual machine; undefined if the machine has to make its own. */
export async function projectIdentity(
  context: Pick<CommandContext, 'project' | 'env' | 'reporter'>,
  host: string,
): Promise<IdentityTar | undefined> {
  const { hostIdentityTar } = await import('../builder/keys/host-identity.ts')
  const { hasOwnerAgeKey } = await import('../builder/keys/owner-age-key.ts')
  if (!existsSync(join(context.project, privateIdentityFile(host)))) return undefined
  if (hasOwnerAgeKey(context.env)) return (trust) => hostIdentityTar(context, host, trust)
  context.reporter.warn(
    `this computer has no owner's age key, so the machine makes its own identity, and cannot decrypt the secrets of ${host}`,
  )
  return undefined
}
