import { labAge, makeFirstIdentities } from '../secrets/ensure.ts'
import type { CertificateContext } from './context.ts'
import { type CertificateHost, type CertificatesByHost, ensureCertificates } from './ensure.ts'

/** The certificates of all hosts of a lab, as a build of all hosts makes them. */
export async function ensureForAll(
  context: CertificateContext,
  hosts: readonly CertificateHost[],
): Promise<CertificatesByHost> {
  const needing = hosts.filter(({ certificates }) => certificates.needs.length > 0).map(({ name }) => name)
  if (labAge(context.project) === 'new') await makeFirstIdentities(context, needing)
  return ensureCertificates(context, hosts)
}
