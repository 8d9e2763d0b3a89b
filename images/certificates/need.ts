import { UserError } from '../../errors.ts'
import type { IpAddress } from '../ip-address.ts'
import type { HostName } from '../names.ts'
import { quoted } from '../quoted.ts'
import { parseSecretName, type SecretName } from '../secrets/secret-name.ts'

/** The common name of a certificate: the identity that servers see. It is one label: `mosquitto`. */
export type CertificateSubject = string & { readonly brand: 'CertificateSubject' }

export type CertificateUsage = 'server' | 'client'

/** The names that clients may connect to: all DNS names, then all addresses, each sorted. */
export interface CertificateNames {
  readonly dns: readonly string[]
  readonly addresses: readonly IpAddress[]
}

/** A certificate that a host needs from the lab's internal CA. */
export interface CertificateNeed {
  readonly host: HostName
  readonly subject: CertificateSubject
  /** Sorted. */
  readonly usages: readonly CertificateUsage[]
  /** Empty for a certificate of a client only: servers identify a client by its subject. */
  readonly names: CertificateNames
}

/** What the containers of a host need from the lab's internal CA. */
export interface HostCertificates {
  /** Whether a container needs the CA's own certificates. A host with certificates of its own uses the CA, too. */
  readonly ca: 'used' | 'unused'
  /** Sorted by subject. */
  readonly needs: readonly CertificateNeed[]
}

/** The certificates of a host that does not use the CA. */
export const NO_NEEDS: HostCertificates = { ca: 'unused', needs: [] }

/** The certificates of a host, in PEM. */
export interface IssuedCertificates {
  /** The certificates of the CA: two while a new one replaces an old one. Empty for a host that does not use the CA. */
  readonly ca: string
  /** By subject. */
  readonly issued: Readonly<Record<string, string>>
}

export const NO_CERTIFICATES: IssuedCertificates = { ca: '', issued: {} }

const SUBJECT = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/

export function parseCertificateSubject(text: string): CertificateSubject {
  if (SUBJECT.test(text)) return text as CertificateSubject
  throw new UserError('host', `invalid subject of a certificate: ${quoted(text)}`, {
    hint: 'use at most 32 lower-case letters, digits and hyphens; begin with a letter and do not end with a hyphen',
  })
}

/** The name of a certificate in the lab: `adama-mosquitto`. */
export function certificateName({ host, subject }: Pick<CertificateNeed, 'host' | 'subject'>): string {
  return `${host}-${subject}`
}

export const CERTIFICATES_DIRECTORY = 'hosts/certificates'

/** The path of a certificate in the project. */
export function certificateFile(need: Pick<CertificateNeed, 'host' | 'subject'>): string {
  return `${CERTIFICATES_DIRECTORY}/${certificateName(need)}.pem`
}

/** The secret with the private key of a certificate: PEM of PKCS #8. */
export function certificateKeySecret(need: Pick<CertificateNeed, 'host' | 'subject'>): SecretName {
  return parseSecretName(`certificate-${certificateName(need)}`)
}

/** The path of the CA's certificates in the project. The first one issues certificates. */
export const CA_FILE = `${CERTIFICATES_DIRECTORY}/ca.pem`

/** The secret with the private keys of the CA, one PEM for each certificate. Only the owner can decrypt it. */
export const CA_SECRET = parseSecretName('ca')
