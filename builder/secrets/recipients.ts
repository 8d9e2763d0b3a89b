import { UserError } from '../../errors.ts'
import { SECRETS_DIRECTORY, type SecretName } from '../../images/secrets/secret-name.ts'
import { type IdentityContext, readPublicIdentity } from '../keys/host-identity.ts'
import { existingOwnerAgeKey, type OwnerAgeKey, ownerAgeKey } from '../keys/owner-age-key.ts'
import { secretRecords } from './records.ts'

/** The age keys by host, newest first. */
export type HostRecipients = Readonly<Record<string, string[]>>

/** The age keys of hosts, for a secret that they use. Throws when one of them has no age key in the project. */
export function hostRecipients(project: string, secret: string, hosts: readonly string[]): HostRecipients {
  const sorted = [...new Set(hosts)].sort()
  return Object.fromEntries(sorted.map((host) => [host, recipientsOf(project, secret, host)]))
}

function recipientsOf(project: string, secret: string, host: string): string[] {
  const identity = readPublicIdentity(project, host)
  if (identity !== undefined && identity.age.length > 0) return [...identity.age]
  const problem = `cannot encrypt the secret '${secret}' to ${host}: `
  if (identity === undefined)
    throw new UserError('secret', `${problem}the host has no identity yet`, {
      hint: `create an identity: npm run init ${host}`,
    })
  throw new UserError('secret', `${problem}the host made its own identity, and its age key is only on its own disk`, {
    hint: `give the host an identity of the project: npm run init ${host}, as docs/secrets.md describes for such a host`,
  })
}

/**
 * The owner's key for a new ciphertext: hangar makes the key for the first secret. All later secrets need the same key,
 * because the owner decrypts all of them to encrypt them again.
 */
export async function ownerForSecret(context: IdentityContext, name: SecretName): Promise<OwnerAgeKey> {
  const records = Object.entries(secretRecords(context.project))
  if (records.length === 0) return ownerAgeKey(context)
  const owner = await existingOwnerAgeKey(context.env, SECRETS_DIRECTORY)
  const other = records.find(([, record]) => record.owner !== owner.recipient)
  if (other === undefined) return owner
  throw new UserError(
    'secret',
    `cannot encrypt the secret '${name}': '${owner.file}' is the key ${owner.recipient}, but '${other[0]}' is encrypted to the owner's key ${other[1].owner}`,
    {
      hint: `copy age_key from the machine that made the secrets to '${owner.file}'; if it is lost, see docs/secrets.md`,
    },
  )
}
