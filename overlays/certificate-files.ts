import { UserError } from '../errors.ts'
import { type CertificateSubject, certificateKeySecret, parseCertificateSubject } from '../images/certificates/need.ts'
import type { HostName } from '../images/names.ts'
import { quoted } from '../images/quoted.ts'
import type { SecretValue } from '../images/secrets/needed-secret.ts'
import type { ContainerFile } from './container.ts'
import type { CertificateDefinition } from './service.ts'

/** The service of a host that declares certificates. */
export interface CertificateOwner {
  readonly host: HostName
  readonly service: string
}

export type Certificates = Readonly<Record<string, CertificateDefinition>>

/** The subject of a certificate that a service declares. Throws a UserError for a text that is no subject. */
export function subjectOf(owner: CertificateOwner, text: string): CertificateSubject {
  try {
    return parseCertificateSubject(text)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw certificateError(owner, error.message, error.hint)
  }
}

/** The private keys of certificates, as secrets: secret -> definition. */
export function certificateKeys(
  owner: CertificateOwner,
  certificates: Certificates,
): Record<string, { readonly about: string; readonly value: SecretValue }> {
  return Object.fromEntries(
    Object.keys(certificates).map((text) => {
      const subject = subjectOf(owner, text)
      const about = `private key of the certificate ${owner.host}-${subject}`
      return [certificateKeySecret({ host: owner.host, subject }), { about, value: { kind: 'issued' } }]
    }),
  )
}

/** The file on the host: the private key of a certificate is a secret. Throws for a certificate that is not declared. */
export function certificateFileOnHost(
  owner: CertificateOwner,
  certificates: Certificates,
  file: ContainerFile,
): ContainerFile {
  if (file.kind !== 'certificate' && file.kind !== 'certificate-key') return file
  if (!Object.hasOwn(certificates, file.subject)) throw undeclared(owner, certificates, file.subject)
  if (file.kind === 'certificate') return file
  return { kind: 'secret', name: certificateKeySecret({ host: owner.host, subject: subjectOf(owner, file.subject) }) }
}

function undeclared(owner: CertificateOwner, certificates: Certificates, subject: string): UserError {
  return certificateError(
    owner,
    `a container has a file of the certificate ${quoted(subject)}, which the service does not declare`,
    `declare it in 'certificates'; declared: ${Object.keys(certificates).join(', ') || 'none'}`,
  )
}

export function certificateError({ host, service }: CertificateOwner, problem: string, hint?: string): UserError {
  return new UserError('host', `${host}: service '${service}': ${problem}`, {
    hint: hint ?? `change 'certificates' in overlays/services, or remove '${service}' from hosts/${host}.ts`,
  })
}
