import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CA_FILE, CA_SECRET, CERTIFICATES_DIRECTORY } from '../../images/certificates/need.ts'
import { digestOf } from '../../images/digest.ts'
import { secretFile } from '../../images/secrets/secret-name.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { openSecret, storeSecret } from '../secrets/secret-store.ts'
import { type Certificate, certificatesIn, isKeyOf, newPrivateKey, privateKeysIn, publicKeyOf } from './certificate.ts'
import type { CertificateContext } from './context.ts'
import { authorityPeriod } from './lifetime.ts'
import { issueAuthority } from './x509.ts'

/** The certificates of the lab's CA; none in a lab without one. The first one issues certificates, hosts trust all. */
export function authorities(project: string): Certificate[] {
  const file = join(project, CA_FILE)
  return existsSync(file) ? certificatesIn(readFileSync(file, 'utf8'), CA_FILE) : []
}

export function hasAuthorityKeys(project: string): boolean {
  return existsSync(join(project, secretFile(CA_SECRET)))
}

/** The private keys of the CA, decrypted with the owner's key; none if the project has no such secret. */
export async function authorityKeys(context: CertificateContext): Promise<string[]> {
  return hasAuthorityKeys(context.project) ? privateKeysIn(await openSecret(context, CA_SECRET)) : []
}

/**
 * Makes a new CA, to replace another one or as the first. An interrupted run may have left its key, which comes first, without
 * a certificate: then the new CA has this key. Keys after it are of former CAs, and never used again.
 */
export async function newAuthority(
  { now }: CertificateContext,
  { known, keys }: { readonly known: readonly Certificate[]; readonly keys: readonly string[] },
): Promise<{ readonly certificate: Certificate; readonly key: string }> {
  const [first] = keys
  const isLeft = first !== undefined && !known.some((each) => isKeyOf(first, each))
  const key = isLeft ? first : newPrivateKey()
  // Two CAs need different names, because some TLS libraries look for an issuer by its name alone.
  const subject = `hangar CA ${digestOf(publicKeyOf(key)).slice(0, 8)}`
  const content = { subject, period: authorityPeriod(now, known[0]), serial: randomBytes(15) }
  const [certificate] = certificatesIn(await issueAuthority(content, key), CA_FILE)
  if (certificate === undefined) throw new Error('the new CA has no certificate')
  return { certificate, key }
}

/**
 * Writes the CA's keys before its certificates, and forgets keys after them: an interrupted run leaves a key without a
 * certificate, never a certificate without a key.
 */
export async function keepAuthorities(
  context: CertificateContext,
  certificates: readonly Certificate[],
  { known, made }: { readonly known: readonly string[]; readonly made?: string },
): Promise<void> {
  const all = made === undefined || known.includes(made) ? known : [made, ...known]
  if (all !== known) await storeSecret(context, CA_SECRET, all.join(''), [])
  makeDirectory(join(context.project, CERTIFICATES_DIRECTORY))
  await replaceFile(join(context.project, CA_FILE), certificates.map(({ pem }) => pem).join(''))
  const used = all.filter((key) => certificates.some((each) => isKeyOf(key, each)))
  if (used.length > 0 && used.length < all.length) await storeSecret(context, CA_SECRET, used.join(''), [])
}
