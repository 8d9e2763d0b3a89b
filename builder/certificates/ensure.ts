import {
  type CertificateNeed,
  certificateName,
  type HostCertificates,
  type IssuedCertificates,
  NO_CERTIFICATES,
} from '../../images/certificates/need.ts'
import type { Certificate } from './certificate.ts'
import type { CertificateContext } from './context.ts'
import { ensureAuthorities } from './ensure-authorities.ts'
import { withCertificatesLock } from './lock.ts'
import { renewAll } from './renew.ts'

/** The certificates of several hosts: host -> certificates. */
export type CertificatesByHost = ReadonlyMap<string, IssuedCertificates>

/** A host that a command names, and what it needs. */
export interface CertificateHost {
  readonly name: string
  readonly certificates: HostCertificates
}

/**
 * The certificates of hosts. Makes the lab's CA at first use, issues missing certificates, and renews those of which a third
 * of the lifetime is left, with one notice for each. Throws before it returns an unusable certificate.
 */
export async function ensureCertificates(
  context: CertificateContext,
  hosts: readonly CertificateHost[],
): Promise<CertificatesByHost> {
  const using = hosts.filter(({ certificates }) => certificates.ca === 'used')
  if (using.length === 0) return new Map()
  return withCertificatesLock(context, async () => {
    const known = await ensureAuthorities(context)
    const ca = known.map(({ pem }) => pem).join('')
    const issued = await renewAll(
      context,
      known,
      using.flatMap(({ certificates }) => certificates.needs),
    )
    return new Map(using.map(({ name, certificates: { needs } }) => [name, { ca, issued: pemsOf(needs, issued) }]))
  })
}

/** The certificates of one host. */
export function certificatesFor(all: CertificatesByHost, host: string): IssuedCertificates {
  return all.get(host) ?? NO_CERTIFICATES
}

function pemsOf(needs: readonly CertificateNeed[], issued: ReadonlyMap<string, Certificate>): Record<string, string> {
  return Object.fromEntries(needs.map((need) => [need.subject, issued.get(certificateName(need))?.pem ?? '']))
}
