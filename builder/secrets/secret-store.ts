import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { digestOf } from '../../images/digest.ts'
import { SECRETS_DIRECTORY, type SecretName, secretFile } from '../../images/secrets/secret-name.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { decryptWith, encryptTo } from '../keys/age.ts'
import type { IdentityContext } from '../keys/host-identity.ts'
import { withHostsLock } from '../keys/hosts-lock.ts'
import { existingOwnerAgeKey } from '../keys/owner-age-key.ts'
import { hostRecipients, ownerForSecret } from './recipients.ts'
import { secretRecord, writeSecretRecord } from './records.ts'

/** The size of a secret in bytes: on a host, all secrets are in memory. */
const LARGEST = 64 * 1024

/** Encrypts a new value to the age keys of the hosts that use the secret, and to the owner. Replaces an old value. */
export function storeSecret(
  context: IdentityContext,
  name: SecretName,
  text: string,
  hosts: readonly string[],
): Promise<void> {
  return withHostsLock(context, () => storeSecretUnderLock(context, name, text, hosts))
}

/** Like `storeSecret`, for a caller that holds the lock of `hosts/` (`withHostsLock`). */
export function storeSecretUnderLock(
  context: IdentityContext,
  name: SecretName,
  text: string,
  hosts: readonly string[],
): Promise<void> {
  return encrypt(context, { name, text, hosts, made: new Date().toISOString() })
}

/** Encrypts the same value again, to the present keys of the given hosts. The caller holds the lock of `hosts/`. */
export async function reencryptUnderLock(
  context: IdentityContext,
  name: SecretName,
  hosts: readonly string[],
): Promise<void> {
  const text = await openSecret(context, name)
  // A secret without a record is left by an interrupted run, which made the value moments before.
  const made = secretRecord(context.project, name)?.made ?? new Date().toISOString()
  await encrypt(context, { name, text, hosts, made })
}

/** The value of a secret, decrypted with the owner's key. */
export async function openSecret({ project, env }: IdentityContext, name: SecretName): Promise<string> {
  const where = secretFile(name)
  if (!existsSync(join(project, where)))
    throw new UserError('secret', `the secret '${name}' is missing: '${where}' does not exist`, {
      hint: `git pull, if another checkout has it; or set it: npm run secrets set ${name}`,
    })
  const key = await existingOwnerAgeKey(env, where)
  return decryptWith(key.identity, readFileSync(join(project, where), 'utf8'), { where, keyFile: key.file })
}

interface Value {
  readonly name: SecretName
  readonly text: string
  readonly hosts: readonly string[]
  readonly made: string
}

/**
 * Writes the ciphertext before its record. A run that is interrupted between the two leaves a complete value, whose
 * digest differs from the record: the next run encrypts that value again.
 */
async function encrypt(context: IdentityContext, { name, text, hosts, made }: Value): Promise<void> {
  refuseSize(name, text)
  const { project } = context
  const recipients = hostRecipients(project, name, hosts)
  const owner = await ownerForSecret(context, name)
  const ciphertext = await encryptTo([...new Set([...Object.values(recipients).flat(), owner.recipient])], text)
  const readBack = await decryptWith(owner.identity, ciphertext, { where: secretFile(name), keyFile: owner.file })
  if (readBack !== text) throw new Error(`the new ciphertext of the secret '${name}' does not contain its value`)
  makeDirectory(join(project, SECRETS_DIRECTORY))
  await replaceFile(join(project, secretFile(name)), ciphertext, { exclusive: true })
  const record = { hosts: recipients, made, owner: owner.recipient, sha256: digestOf(ciphertext) }
  await writeSecretRecord(project, name, record)
}

function refuseSize(name: SecretName, text: string): void {
  const size = Buffer.byteLength(text)
  if (size > 0 && size <= LARGEST) return
  throw new UserError('secret', `the value of the secret '${name}' has ${size} bytes, wanted 1 to ${LARGEST}`, {
    hint: 'pass the value on standard input, or type it at the prompt',
  })
}
