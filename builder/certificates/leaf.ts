import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CERTIFICATES_DIRECTORY,
  type CertificateNeed,
  certificateFile,
  certificateKeySecret,
} from '../../images/certificates/need.ts'
import { secretFile } from '../../images/secrets/secret-name.ts'
import { replaceFile } from '../../lib/atomic-file.ts'
import { makeDirectory } from '../../lib/make-directory.ts'
import { openSecret, storeSecret } from '../secrets/secret-store.ts'
import { type Certificate, certificatesIn, isKeyOf, newPrivateKey } from './certificate.ts'
import { type CertificateContext, canDecrypt } from './context.ts'
import { certificatePeriod } from './lifetime.ts'
import type { KeyState } from './state.ts'
import { issueCertificate, type Signer } from './x509.ts'

/** The certificate of the project; undefined if there is none. */
export function certificateFor(project: string, need: CertificateNeed): Certificate | undefined {
  const where = certificateFile(need)
  const file = join(project, where)
  return existsSync(file) ? certificatesIn(readFileSync(file, 'utf8'), where)[0] : undefined
}

/** Whether the private key of the project belongs to a certificate. */
export async function keyStateOf(
  context: CertificateContext,
  need: CertificateNeed,
  found: Certificate | undefined,
): Promise<KeyState> {
  if (!hasKey(context, need)) return 'missing'
  if (found === undefined || !(await canDecrypt(context, certificateKeySecret(need)))) return 'unknown'
  return isKeyOf(await openKey(context, need), found) ? 'matches' : 'differs'
}

function hasKey({ project }: CertificateContext, need: CertificateNeed): boolean {
  return existsSync(join(project, secretFile(certificateKeySecret(need))))
}

/** A CA that can sign, and its certificate. */
export interface Issuer extends Signer {
  readonly authority: Certificate
}

/**
 * Issues a certificate, and writes its key before it: an interrupted run leaves a key without its certificate, and the next
 * run issues the certificate. A renewed certificate keeps its key, so that no secret changes.
 */
export async function issue(
  context: CertificateContext,
  issuer: Issuer,
  need: CertificateNeed,
  { key: wanted }: { readonly key: 'same' | 'new' },
): Promise<Certificate> {
  const key = wanted === 'same' && hasKey(context, need) ? await openKey(context, need) : await makeKey(context, need)
  const period = certificatePeriod(context.now, issuer.authority)
  const text = await issueCertificate({ ...need, period, serial: randomBytes(15) }, key, issuer)
  const where = certificateFile(need)
  makeDirectory(join(context.project, CERTIFICATES_DIRECTORY))
  await replaceFile(join(context.project, where), text)
  const [certificate] = certificatesIn(text, where)
  if (certificate === undefined) throw new Error(`'${where}' does not contain what was issued`)
  return certificate
}

function openKey(context: CertificateContext, need: CertificateNeed): Promise<string> {
  return openSecret(context, certificateKeySecret(need))
}

async function makeKey(context: CertificateContext, need: CertificateNeed): Promise<string> {
  const key = newPrivateKey()
  await storeSecret(context, certificateKeySecret(need), key, [need.host])
  return key
}
