import type { CertificateContext } from './certificates/context.ts'
import { type CertificatesByHost, ensureCertificates } from './certificates/ensure.ts'
import type { HostPlan } from './host-plan.ts'
import { type Ciphertexts, ensureSecrets, labAge, makeFirstIdentities } from './secrets/ensure.ts'
import type { LabNeeds } from './secrets/lab-secrets.ts'

/** The certificates and secrets in `hosts/` that images contain, checked and complete. */
export interface Committed {
  readonly certificates: CertificatesByHost
  readonly secrets: Ciphertexts
}

type Planned = Pick<HostPlan, 'name' | 'certificates' | 'secrets'>

/**
 * The certificates and secrets of the hosts to build. Certificates come first, because their private keys are secrets, and
 * identities before them, because hangar encrypts these keys to the hosts.
 */
export async function ensureCommitted(
  context: CertificateContext,
  plans: readonly Planned[],
  needs: LabNeeds,
): Promise<Committed> {
  const lab = labAge(context.project)
  const hosts = plans.filter(({ secrets }) => secrets.length > 0).map(({ name }) => name)
  if (lab === 'new') await makeFirstIdentities(context, hosts)
  const certificates = await ensureCertificates(context, plans)
  const secrets = await ensureSecrets(context, { needs, hosts: plans.map(({ name }) => name), lab })
  return { certificates, secrets }
}
