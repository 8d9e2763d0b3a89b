import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { UserError } from '../../errors.ts'
import type { CertificateNames, CertificateUsage } from '../../images/certificates/need.ts'
import { ipAddress } from '../../images/ip-address.ts'

/** When a certificate is valid. X.509 has whole seconds. */
export interface Period {
  readonly from: Date
  readonly until: Date
}

/** A certificate, and the facts in it that hangar compares. */
export interface Certificate extends Period {
  readonly pem: string
  /** The common name. */
  readonly subject: string
  readonly usages: readonly CertificateUsage[]
  readonly names: CertificateNames
  readonly x509: X509Certificate
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates in a PEM file, in their order. Throws if the file contains none, or a damaged one. */
export function certificatesIn(text: string, where: string): Certificate[] {
  const blocks = text.match(PEM) ?? []
  if (blocks.length === 0) throw damaged(where, 'it has no certificate')
  return blocks.map((block) => certificateOf(block, where))
}

function certificateOf(block: string, where: string): Certificate {
  const x509 = parsed(block, where)
  return {
    pem: `${block}\n`,
    subject: /^CN=(.+)$/m.exec(x509.subject ?? '')?.[1] ?? '',
    from: new Date(x509.validFrom),
    until: new Date(x509.validTo),
    usages: usagesOf(x509),
    names: namesOf(x509.subjectAltName ?? ''),
    x509,
  }
}

function parsed(block: string, where: string): X509Certificate {
  try {
    return new X509Certificate(block)
  } catch (cause) {
    throw damaged(where, 'it is damaged', cause)
  }
}

function damaged(where: string, reason: string, cause?: unknown): UserError {
  return new UserError('certificate', `cannot read the certificate '${where}': ${reason}`, {
    hint: `restore the file from git: git log ${where}`,
    cause,
  })
}

/** The extended key usages that stand for hangar's usages. */
export const USAGE_OIDS: Readonly<Record<CertificateUsage, string>> = {
  client: '1.3.6.1.5.5.7.3.2',
  server: '1.3.6.1.5.5.7.3.1',
}

/** Node's `keyUsage` has the object identifiers of the extended key usages. */
function usagesOf({ keyUsage }: X509Certificate): CertificateUsage[] {
  const oids: readonly string[] = keyUsage ?? []
  return (['client', 'server'] as const).filter((usage) => oids.includes(USAGE_OIDS[usage]))
}

/** Parses Node's text: `DNS:localhost, IP Address:10.0.10.11`. */
function namesOf(text: string): CertificateNames {
  const parts = text.split(', ')
  const after = (prefix: string) =>
    parts.flatMap((part) => (part.startsWith(prefix) ? [part.slice(prefix.length)] : []))
  return {
    dns: after('DNS:').sort(),
    addresses: after('IP Address:')
      .flatMap((each) => ipAddress(each) ?? [])
      .sort(),
  }
}

/** Whether a CA signed a certificate, and its names and key identifiers say so, too. */
export function isIssuedBy({ x509 }: Certificate, authority: Certificate): boolean {
  return x509.checkIssued(authority.x509) && x509.verify(authority.x509.publicKey)
}

/** A new private key on the curve P-256, as PEM of PKCS #8. Every TLS library of the last ten years supports the curve. */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The private keys in a text of several PEM blocks. */
export function privateKeysIn(text: string): string[] {
  const blocks = text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g) ?? []
  return blocks.map((block) => `${block}\n`)
}

/** Whether a private key belongs to a certificate. A text that is no key belongs to none. */
export function isKeyOf(key: string, { x509 }: Certificate): boolean {
  try {
    return x509.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

/** The public half of a private key, as DER of SubjectPublicKeyInfo. */
export function publicKeyOf(key: string): Buffer {
  return createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' })
}
