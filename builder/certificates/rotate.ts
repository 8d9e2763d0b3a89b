import { type CertificateNeed, certificateName } from '../../images/certificates/need.ts'
import type { Certificate } from './certificate.ts'
import { type CertificateContext, refuseInCi } from './context.ts'
import { ensureAuthorities } from './ensure-authorities.ts'
import { issue } from './leaf.ts'
import { withCertificatesLock } from './lock.ts'
import { lazyIssuer } from './renew.ts'

/** Makes a new private key and a new certificate. The former certificate stays valid until it expires. */
export function rotateCertificate(context: CertificateContext, need: CertificateNeed): Promise<Certificate> {
  refuseInCi(context, `the certificate ${certificateName(need)}`)
  return withCertificatesLock(context, async () => {
    const known = await ensureAuthorities(context)
    const issuer = await lazyIssuer(context, known)()
    return issue(context, issuer, need, { key: 'new' })
  })
}
