import { CA_SECRET } from '../../images/certificates/need.ts'
import type { IdentityContext } from '../keys/host-identity.ts'
import { hasOwnerAgeKey } from '../keys/owner-age-key.ts'
import { reencryptStale } from './generate.ts'
import { type LabNeeds, type LabSecret, secretsOfLab } from './lab-secrets.ts'
import { secretRecords } from './records.ts'
import { hostsWithoutKey, type SecretState, secretState } from './state.ts'

export interface ListedSecret {
  readonly secret: LabSecret
  readonly state: SecretState
  /** When the value was made. */
  readonly made: string | undefined
  /** The hosts that can decrypt it. */
  readonly recipients: readonly string[]
  /** The hosts that need it and have no age key in the project. */
  readonly without: readonly string[]
}

export interface SecretList {
  readonly secrets: readonly ListedSecret[]
  /** Names of stored secrets that no service needs. */
  readonly unused: readonly string[]
}

/** All secrets of the lab. Encrypts stale ones again first, if this machine has the owner's key. */
export async function listSecrets(context: IdentityContext, needs: LabNeeds): Promise<SecretList> {
  const { project, env } = context
  const all = secretsOfLab(needs)
  const isStale = (secret: LabSecret) => secretState(project, secret, needs).kind === 'stale'
  if (all.some(isStale) && env.CI !== 'true' && hasOwnerAgeKey(env)) await reencryptStale(context, all, needs)
  const records = secretRecords(project)
  const secrets = all.map((secret) => ({
    secret,
    state: secretState(project, secret, needs),
    made: records[secret.name]?.made,
    recipients: Object.keys(records[secret.name]?.hosts ?? {}),
    without: hostsWithoutKey(project, secret),
  }))
  const names = new Set<string>(all.map(({ name }) => name))
  const unused =
    needs.unknown.length > 0 ? [] : Object.keys(records).filter((name) => !names.has(name) && name !== CA_SECRET)
  return { secrets, unused }
}
