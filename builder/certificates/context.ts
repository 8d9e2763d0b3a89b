import { UserError } from '../../errors.ts'
import { type SecretName, secretFile } from '../../images/secrets/secret-name.ts'
import type { CliContext } from '../context.ts'
import { existingOwnerAgeKey, hasOwnerAgeKey } from '../keys/owner-age-key.ts'
import { secretRecord } from '../secrets/records.ts'

/** The project with the certificates in `hosts/certificates`, the owner's keys, and the time. */
export type CertificateContext = Pick<CliContext, 'project' | 'env' | 'reporter' | 'now'>

/** Whether hangar may make keys and certificates: never when CI=true, because the checkout of a CI job is not kept. */
export function mayIssue({ env }: CertificateContext): boolean {
  return env.CI !== 'true'
}

/** Whether the owner's key on this machine decrypts a secret: another developer has another key, or none. */
export async function canDecrypt({ env, project }: CertificateContext, name: SecretName): Promise<boolean> {
  if (!hasOwnerAgeKey(env)) return false
  const owner = secretRecord(project, name)?.owner
  return owner === undefined || owner === (await existingOwnerAgeKey(env, secretFile(name))).recipient
}

export const OWN_MACHINE =
  'issue certificates on your own machine: npm run certs issue; then commit hosts/certificates and hosts/secrets'

/** Refuses to make `what` when CI=true. */
export function refuseInCi(context: CertificateContext, what: string): void {
  if (mayIssue(context)) return
  throw new UserError('certificate', `cannot make ${what}: hangar makes no keys when CI=true`, { hint: OWN_MACHINE })
}
