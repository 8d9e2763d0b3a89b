import { createPrivateKey, type webcrypto } from 'node:crypto'
import type * as X509 from '@peculiar/x509'
import type { CertificateNames, CertificateUsage } from '../../images/certificates/need.ts'
import { type Period, publicKeyOf, USAGE_OIDS } from './certificate.ts'

/** What a new certificate says. */
export interface CertificateContent {
  readonly subject: string
  readonly period: Period
  /** 16 random bytes. */
  readonly serial: Uint8Array
}

export interface EndEntity extends CertificateContent {
  readonly usages: readonly CertificateUsage[]
  readonly names: CertificateNames
}

/** A CA that can sign: its certificate and its private key, both in PEM. */
export interface Signer {
  readonly certificate: string
  readonly key: string
}

/** Loads the library only when hangar issues a certificate: loading takes a fifth of a second. */
async function load(): Promise<typeof X509> {
  // tsyringe, which the library uses, throws without this polyfill.
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Issues the certificate of a CA for its own key. The CA can sign no further CA. */
export async function issueAuthority(content: CertificateContent, key: string): Promise<string> {
  const x509 = await load()
  const publicKey = await importPublic(key)
  const certificate = await x509.X509CertificateGenerator.create({
    ...paramsOf(content),
    issuer: nameOf(content.subject),
    publicKey,
    signingKey: await importPrivate(key),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return pemOf(certificate)
}

/** Issues a certificate of a server or client for the public half of a private key. */
export async function issueCertificate(content: EndEntity, key: string, signer: Signer): Promise<string> {
  const x509 = await load()
  const issuer = new x509.X509Certificate(signer.certificate)
  const publicKey = await importPublic(key)
  const names = namesIn(content)
  const certificate = await x509.X509CertificateGenerator.create({
    ...paramsOf(content),
    issuer: issuer.subjectName.toJSON(),
    publicKey,
    signingKey: await importPrivate(signer.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(content.usages.map((usage) => USAGE_OIDS[usage])),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  })
  return pemOf(certificate)
}

function paramsOf({ subject, period, serial }: CertificateContent) {
  return {
    serialNumber: serialText(serial),
    subject: nameOf(subject),
    notBefore: period.from,
    notAfter: period.until,
    signingAlgorithm: ALGORITHM,
  }
}

/** A name in the form of JSON: the library parses no text, so no character of a subject is special. */
function nameOf(subject: string): X509.JsonName {
  return [{ CN: [subject] }]
}

/** A serial is positive and has at most 20 bytes (RFC 5280, 4.1.2.2). The first byte keeps its sign and its length. */
function serialText(serial: Uint8Array): string {
  return `4a${Buffer.from(serial).toString('hex')}`
}

function namesIn({ names: { dns, addresses } }: EndEntity): X509.JsonGeneralNames {
  return [
    ...dns.map((value) => ({ type: 'dns', value }) as const),
    ...addresses.map((value) => ({ type: 'ip', value }) as const),
  ]
}

function importPrivate(key: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
}

function importPublic(key: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('spki', publicKeyOf(key), ALGORITHM, true, ['verify'])
}

function pemOf(certificate: X509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
