import type { IssuedCertificates } from '../../images/certificates/need.ts'

/** Texts in place of certificates, for every subject. */
export const ANY_CERTIFICATES: IssuedCertificates = {
  ca: 'certificates of the CA\n',
  issued: new Proxy<Record<string, string>>({}, { get: (_, subject) => `certificate of ${String(subject)}\n` }),
}
