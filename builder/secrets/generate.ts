import { randomBytes } from 'node:crypto'
import { secretFile } from '../../images/secrets/secret-name.ts'
import { SECRET_RECORDS } from '../../images/secrets/secret-records.ts'
import type { IdentityContext } from '../keys/host-identity.ts'
import { withHostsLock } from '../keys/hosts-lock.ts'
import type { LabNeeds, LabSecret } from './lab-secrets.ts'
import { secretRecord } from './records.ts'
import { reencryptUnderLock, storeSecretUnderLock } from './secret-store.ts'
import { recipientHosts, type Staleness, secretState } from './state.ts'

/** Generates the random secrets that are missing. Returns them; each gets a notice. */
export function generateMissing(
  context: IdentityContext,
  secrets: readonly LabSecret[],
  needs: Pick<LabNeeds, 'unknown'>,
): Promise<LabSecret[]> {
  const { project, reporter } = context
  return withHostsLock(context, async () => {
    const made: LabSecret[] = []
    for (const secret of secrets) {
      if (secret.value.kind !== 'random' || secretState(project, secret, needs).kind !== 'missing') continue
      await storeSecretUnderLock(
        context,
        secret.name,
        randomValue(secret),
        recipientHosts(project, secret, undefined, []),
      )
      reporter.notice(
        `made ${secretFile(secret.name)} (${secret.about}): add it and ${SECRET_RECORDS} to the repository`,
      )
      made.push(secret)
    }
    return made
  })
}

/** A new value for a random secret. */
export function randomValue({ name, value }: Pick<LabSecret, 'name' | 'value'>): string {
  if (value.kind !== 'random') throw new Error(`the secret '${name}' is not random`)
  return randomBytes(value.bytes).toString('hex')
}

/** Encrypts every stale secret again, to the present keys of its hosts. Each gets a notice with the reasons. */
export function reencryptStale(
  context: IdentityContext,
  secrets: readonly LabSecret[],
  { unknown }: Pick<LabNeeds, 'unknown'>,
): Promise<void> {
  const { project, reporter } = context
  return withHostsLock(context, async () => {
    for (const secret of secrets) {
      const state = secretState(project, secret, { unknown })
      if (state.kind !== 'stale') continue
      const hosts = recipientHosts(project, secret, secretRecord(project, secret.name), unknown)
      await reencryptUnderLock(context, secret.name, hosts)
      reporter.notice(
        `encrypted ${secretFile(secret.name)} again, because it ${state.reasons.map(stalenessText).join(', and ')}`,
      )
    }
  })
}

/** Completes a sentence about a ciphertext. */
export function stalenessText(reason: Staleness): string {
  if (reason.kind === 'unrecorded') return `does not match its record in ${SECRET_RECORDS}`
  if (reason.kind === 'lacks') return `is not encrypted to all age keys of ${reason.host}`
  return `is encrypted to a key that ${reason.host} no longer has or needs`
}
